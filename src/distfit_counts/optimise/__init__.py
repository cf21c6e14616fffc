"""Minimising the negative log-likelihood of many rows at once; no family is named here."""
