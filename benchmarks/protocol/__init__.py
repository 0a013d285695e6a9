"""Who draws what, which architectures are tested, and what counts as a twin: one protocol for all tables of predictors.

docs/few_labels.md has it in words. Nothing here knows a predictor.
"""
