"""Ground truth of our own: really training the catalog's architectures.

It builds networks as the zero-cost proxies do, and stores accuracies as a source like any other.
"""
