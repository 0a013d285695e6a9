"""The command line: each command parses, calls one method of `catalog.session`, and prints.

It holds no SQL and no logic, and nothing stands on it but the program itself.
"""
