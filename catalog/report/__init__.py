"""Pages for people: self-contained HTML with tables and figures, and the same tables as files."""
