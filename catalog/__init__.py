"""Neural-architecture-search spaces as graphs in one DuckDB file, asked in SQL."""
