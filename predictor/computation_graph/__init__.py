"""One encoder for computation graphs of every space, pre-trained without labels or not at all, and a few labels on top.

The order of the files: words of operators, features of nodes, the encoder, what it is pre-trained by, the predictor.
"""
