"""What all readers share: bounded streams, harmless pickles, checked batches, and the job that stores them.

It knows no format of any benchmark; formats, traced models and fetching build on it.
"""
