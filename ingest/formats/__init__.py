"""Readers of the benchmarks' file formats, one file a format; none of them runs what it reads.

A reader gives checked batches, and leaves storing them to the job in `ingest.reading`.
"""
