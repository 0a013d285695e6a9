"""The catalog as pages on this machine: a query box, tables, charts, architectures, patterns and reports.

It reads through the rooms below in processes of their own, and changes nothing in the file.
"""
