"""Predictors that are feed-forward networks, trained on rows in memory or streamed from Parquet."""
