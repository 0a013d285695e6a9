"""Searching a space by a score: what is stored and computed for it, the job, its visits and its answer.

The methods stand in a room of their own below, and know neither the file nor a predictor.
"""
