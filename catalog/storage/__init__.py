"""The catalog file: its schema, opening and locking, migration, transactions, runs, and the judge of users' SQL.

It knows tables and statements but nothing of what the rows mean; only the errors and quoting lie below it.
"""
