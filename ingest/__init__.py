"""Files into the catalog: one entry, one reader a format, one job that stores all of a file or nothing.

It stands on tables and spaces, and knows nothing of analyses, searches and predictors.
"""
