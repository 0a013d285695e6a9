"""Rows in and out of the file: architectures, scores, wide views, exports and their examination.

It joins graphs and spaces with the storage below; questions, analyses and searches stand above it.
"""
