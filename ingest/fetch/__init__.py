"""Official benchmark files: where they are, how they are fetched and checked, and which command reads them."""
