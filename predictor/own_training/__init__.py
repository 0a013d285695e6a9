"""Ground truth of our own: really training the catalog's architectures."""
