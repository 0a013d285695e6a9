"""The catalog as pages on this machine: a query box, tables, charts, architectures, patterns and reports."""
