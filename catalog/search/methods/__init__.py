"""Search methods: how candidates are proposed, and the loop that drives a method to its end.

They know a space and a scoring callable, but no file, no predictor and no other room of the search.
"""
