"""A negative-binomial head that trains, and one that does not.

The naive head predicts a probability and a count: clamped logits, default initialisation, and a loss whose rows are
clipped to the batch's median ± 2, which takes the gradient from every row that is badly predicted.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import NegativeBinomial

from benchmarks.measure import Figure
from benchmarks.network_data import NAMES, heteroscedastic
from distfit_counts.families.spec import parse
from distfit_counts.optimise.threads import one_thread
from distfit_counts.regression.network.block import Arrays
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.network.train import train
from distfit_counts.regression.row_model import CountModel

ROWS, HELD_OUT, SEEDS, EPOCHS = 100_000, 10_000, 5, 10
BATCH, RATE = 1024, 0.003
CLAMP, CLIP = 10.0, 2.0
NB = CountModel.of(parse("nb"))


def run() -> Iterator[Figure]:
    for level in (2.0, 6.0):
        yield from _compared(level)


def _compared(level: float) -> Iterator[Figure]:
    x, y, mean, size = heteroscedastic(ROWS + HELD_OUT, np.random.default_rng(5), level)
    data = f"NB head, {ROWS:,} rows, mean count {y.mean():.0f}"
    eta = [torch.from_numpy(np.log(values[ROWS:])) for values in (mean, size)]
    truth = -float(NB.log_prob(eta, torch.from_numpy(y[ROWS:])).mean())
    yield _figure(f"{data}: the truth", "-", [(_judged(mean[ROWS:], y[ROWS:]), [truth])])
    with one_thread():
        naive = [_naive(x, y, seed) for seed in range(SEEDS)]
        ours = [_ours(x, y, seed) for seed in range(SEEDS)]
    yield _figure(f"{data}, {SEEDS} seeds: naive head", "R² near 0", naive)
    yield _figure(f"{data}, {SEEDS} seeds: distfit", "R² > 0.5, near the truth", ours)


def _figure(what: str, asked: str, runs: list[tuple[tuple[float, float], list[float]]]) -> Figure:
    r_squared, correlation = ([each[0][i] for each in runs] for i in (0, 1))
    path = [statistics.median(values) for values in zip(*(each[1] for each in runs), strict=True)]
    measured = f"R² {min(r_squared):.3f} to {max(r_squared):.3f}, r {min(correlation):.3f} to {max(correlation):.3f}"
    detail = "held-out NLL by epoch: " + " ".join(f"{value:.3f}" for value in path)
    return Figure(what, asked, measured, detail)


def _judged(predicted: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """R² and Pearson's correlation on the held-out rows."""
    r_squared = 1.0 - float(((y - predicted) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    return r_squared, float(np.corrcoef(predicted, y)[0, 1])


def _ours(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[tuple[float, float], list[float]]:
    rows = Arrays(x[:ROWS], y[:ROWS], np.ones(ROWS), None, NAMES)
    path: list[float] = []
    settings = NetworkSettings(batch_size=BATCH, learning_rate=RATE, epochs=EPOCHS, seed=seed)
    fit = train(NB, rows, settings, progress=lambda _, __, loss: path.append(loss))
    return _judged(np.exp(fit.predictors(x[ROWS:])["mean"]), y[ROWS:]), path


def _naive(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[tuple[float, float], list[float]]:
    torch.manual_seed(seed)
    covariates, counts = torch.from_numpy(x).float(), torch.from_numpy(y).float()
    net = nn.Sequential(nn.Linear(x.shape[1], 30), nn.ReLU(), nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
    path = []
    for _ in range(EPOCHS):
        for chosen in torch.randperm(ROWS).split(BATCH):
            optimizer.zero_grad()
            loss = -_naive_head(net(covariates[chosen])).log_prob(counts[chosen])
            middle = loss.detach().median()
            loss.clamp(middle - CLIP, middle + CLIP).mean().backward()
            optimizer.step()
        with torch.no_grad():
            head = _naive_head(net(covariates[ROWS:]))
            path.append(-float(head.log_prob(counts[ROWS:]).mean()))
    return _judged(head.mean.double().numpy(), y[ROWS:]), path


def _naive_head(out: Tensor) -> NegativeBinomial:
    count = nn.functional.softplus(out[:, 0]) + 1e-6
    return NegativeBinomial(count, logits=out[:, 1].clamp(-CLAMP, CLAMP), validate_args=False)
