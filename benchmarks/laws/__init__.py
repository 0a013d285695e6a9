"""What any ranking of networks has to fulfil, as pairs of networks: equal ones, better ones, and ones without a score.

`networks` makes networks of every kind, `rewriting` tells one in other words, `growing` makes a better one of it,
`swapping` puts an unknown operator into it, `judging` counts who breaks which law. Nothing here knows a predictor.
"""
