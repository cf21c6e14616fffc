"""The fitted model: its estimates with boundaries resolved, its restarts, its probabilities."""
