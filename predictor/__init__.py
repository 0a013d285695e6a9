"""Predictors and zero-cost proxies: graphs in, scores out.

It stands on tables and spaces, and knows nothing of files to ingest, analyses, searches and pages.
"""
