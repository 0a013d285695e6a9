"""Predictors that rank a pool by fixed rules, from proxies that were measured before.

They know numbers alone: no graph, no network and no PyTorch.
"""
