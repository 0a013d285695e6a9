"""TG-NAS: one predictor, trained once, that ranks spaces it never saw."""
