"""What a network is: operators, graphs, canonical form and digest, counts and drawings.

It knows no database and no search space; every room above may use it.
"""
