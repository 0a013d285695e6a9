"""What the numbers say about each other: correlations, intervals, what proxies add to one another, motifs.

Arrays in, frames out; pools are read through tables and questions, and nothing is written, drawn or searched.
"""
