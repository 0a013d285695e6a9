"""Questions to a catalog: the best architectures, given ones, profiles of single ones, and graph patterns.

It reads tables and wide views and changes nothing; analyses, reports and doors build on its answers.
"""
