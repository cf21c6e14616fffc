"""All Poisson mixtures at once: Lindsay's gradient function and the nonparametric maximum."""
