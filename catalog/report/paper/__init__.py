"""What a paper takes from a report: a table, figures, references, and what makes them again."""
