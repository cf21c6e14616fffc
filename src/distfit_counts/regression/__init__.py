"""Counts that depend on covariates: formulas, predictors, and how they are fitted."""
