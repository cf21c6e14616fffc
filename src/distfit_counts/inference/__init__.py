"""How sure are we: standard errors, intervals, fitted against observed, verdicts."""
