"""Graphs and operators as arrays: padded batches of graphs, and sentence embeddings of operators.

It knows no predictor; every predictor reads its input here.
"""
