"""Official benchmark files: where they are, how they are fetched and checked, and which command reads them.

It is the only room that speaks to the network, and it stores nothing in the catalog.
"""
