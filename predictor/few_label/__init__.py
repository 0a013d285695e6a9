"""Learning from a few labels: a Gaussian process over groups of inputs, averaged with extra trees.

It needs NumPy, SciPy and scikit-learn; no PyTorch, and no single predictor.
"""
