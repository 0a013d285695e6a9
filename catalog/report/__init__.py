"""Pages for people: self-contained HTML with tables and figures, and the same tables as files.

It shows what the analysis found and questions answered, and computes no statistic of its own.
"""
