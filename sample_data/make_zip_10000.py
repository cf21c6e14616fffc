"""Make zip_10000.csv: the published zero-inflated Poisson experiment (pi = 0.5, rate = 5, n = 10,000)."""

from pathlib import Path

import numpy as np

rng = np.random.default_rng(0)
# The order of the two draws is part of the experiment.
counts = rng.poisson(5, (10000, 1)) * rng.binomial(1, 0.5, (10000, 1))
text = "count\n" + "".join(f"{value}\n" for value in counts[:, 0])
Path(__file__).with_name("zip_10000.csv").write_text(text)
