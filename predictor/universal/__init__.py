"""TG-NAS for spaces that nobody tuned on: a size of the whole network, and structure where it is sure."""
