"""ParZC: layer-wise zero-cost statistics, weighed by a mixer with Bayesian layers or by a fixed sine."""
