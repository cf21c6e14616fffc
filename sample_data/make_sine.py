"""Writes sine_gaussian.csv, sine_bernoulli.csv and sine_poisson.csv: 400 rows each, around f = sin(10x)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

ROWS = 400


def main() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=ROWS)
    f = np.sin(10.0 * x)
    responses = {
        "gaussian": rng.normal(f, 0.2),
        "bernoulli": (rng.uniform(size=ROWS) < 1.0 / (1.0 + np.exp(-3.5 * f))).astype(int),
        "poisson": rng.poisson(2.0 * np.exp(f)),
    }
    for name, y in responses.items():
        lines = ["x,y", *(f"{a!r},{b!r}" for a, b in zip(x.tolist(), y.tolist(), strict=True))]
        path = Path(__file__).with_name(f"sine_{name}.csv")
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
