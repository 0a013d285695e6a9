"""Predictors and zero-cost proxies: graphs in, scores out."""
