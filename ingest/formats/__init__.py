"""Readers of the benchmarks' official file formats, one file a format; none of them runs what it reads."""
