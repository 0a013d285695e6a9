"""What a Python user holds: the class `Catalog`, with every command of the command line as a method.

It composes the rooms below and holds no logic and no SQL of its own; the command line stands on it.
"""
