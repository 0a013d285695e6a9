"""What the numbers say about each other: arrays in, frames out."""
