"""Tables of a user's own numbers about any space: which column names the architecture, and what the others mean."""
