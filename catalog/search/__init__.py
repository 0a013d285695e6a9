"""Searching a space by a score; the methods know no predictor and no store."""
