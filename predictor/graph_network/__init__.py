"""Networks on graphs: node features, edges and a graph of each node in, a vector of each graph out.

It knows tensors alone: what a node means is said by whoever makes its features.
"""
