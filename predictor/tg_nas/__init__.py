"""TG-NAS: one predictor, trained once, that ranks spaces it never saw.

It reads encoded graphs and gives scores; storing them is the business of `predictor.scoring`.
"""
