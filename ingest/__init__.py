"""Benchmark files into the catalog: one loader a format, one job for all."""
