"""Whole networks as graphs of primitive operators with shapes and costs, built from an architecture or traced."""
