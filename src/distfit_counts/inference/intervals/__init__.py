"""Standard errors and intervals: Wald, profile likelihood, bootstrap."""
