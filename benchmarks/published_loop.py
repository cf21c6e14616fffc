"""A ten-restart ZIP fit against the published way to it: one restart at a time, Adam on the full data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.measure import ROOT, Figure, ratio
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.settings import FitSettings


def run() -> Iterator[Figure]:
    counts = np.loadtxt(ROOT / "sample_data" / "zip_10000.csv", skiprows=1)
    column = Column("zip_10000.csv", "count", {}, Histogram.of(counts))
    tensor = torch.from_numpy(counts).float()

    def ours(restarts: int = 10) -> None:
        _ = fit_columns([column], parse("zip"), FitSettings(restarts=restarts))[0]

    speed, loop, fit = ratio(lambda: _loop(tensor), ours, pairs=5)
    detail = f"loop {loop:.3f} s, distfit {fit:.4f} s"
    yield Figure("published loop (10 x 100 Adam steps) / distfit, ZIP, 10 restarts", ">= 20", f"{speed:.0f}", detail)
    yield Figure("distfit's ten-restart ZIP fit, seconds", "< 0.1", f"{fit:.4f}", "fit time, from the histogram")
    more, many, few = ratio(lambda: ours(1000), ours, pairs=7)
    yield Figure("1,000 restarts / 10 restarts, ZIP", "< 5", f"{more:.2f}", f"{many:.3f} s / {few:.4f} s")


def _loop(counts: torch.Tensor) -> None:
    for seed in range(10):
        torch.manual_seed(seed)
        raw = torch.randn(2, requires_grad=True)
        optimizer = torch.optim.Adam([raw], lr=1.0)
        for _ in range(100):
            optimizer.zero_grad()
            pi, rate = torch.sigmoid(raw[0]), torch.nn.functional.softplus(raw[1])
            poisson = torch.distributions.Poisson(rate).log_prob(counts).exp()
            likelihood = torch.where(counts == 0, pi + (1 - pi) * poisson, (1 - pi) * poisson)
            loss = -torch.log(likelihood.clamp(min=1e-30)).mean()
            loss.backward()
            optimizer.step()
