"""Scoring a stored space: predictors, zero-cost proxies and proxies of a pool, by name, into columns.

It is the top of this package: every predictor is reached through it, and it alone stores scores.
"""
