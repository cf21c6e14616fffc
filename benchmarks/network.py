"""Networks: mini-batches streamed from Parquet against a bare PyTorch loop, canonical against autograd, memory."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.measure import ROOT, Figure, ratio
from benchmarks.network_data import NAMES, heteroscedastic, network_parquet
from distfit_counts.families.spec import parse as family
from distfit_counts.optimise.threads import one_thread
from distfit_counts.regression.formula import parse
from distfit_counts.regression.network.block import Arrays
from distfit_counts.regression.network.parquet import ParquetRows
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.network.train import train
from distfit_counts.regression.row_model import CountModel, RowModel

ROWS, LARGE = 10**6, 10**7
BATCH, RATE = 1024, 0.003
EPOCHS = 3
SETTINGS = NetworkSettings(hidden=(30, 20), batch_size=BATCH, learning_rate=RATE, patience=1000)


def run() -> Iterator[Figure]:
    for spec in ("poisson", "nb"):
        yield _throughput(spec, torch.float64)
    yield _throughput("poisson", torch.float32)
    yield from _canonical()
    yield from _memory()


def source(rows: int, model: RowModel) -> ParquetRows:
    terms = dict.fromkeys(model.heads, " + ".join(NAMES))
    formula = parse(f"y ~ {' + '.join(NAMES)}", model.heads, "", {head: f"~ {text}" for head, text in terms.items()})
    return ParquetRows.of([network_parquet(rows)], formula, model)


def _throughput(spec: str, kind: torch.dtype) -> Figure:
    model = CountModel.of(family(spec))
    rows = source(ROWS, model)
    times: list[float] = []

    def streamed() -> float:
        times.clear()
        settings = replace(SETTINGS, epochs=EPOCHS)
        fit = train(model, rows, settings, progress=lambda *_: times.append(time.perf_counter()))
        return (fit.n - fit.n_held_out) / statistics.median(np.diff(times))

    x, y, _, _ = heteroscedastic(ROWS, np.random.default_rng(5))
    held = torch.from_numpy(x).to(kind), torch.from_numpy(y).to(kind)
    loss = _poisson_loss if spec == "poisson" else _negative_binomial_loss
    ours, bare = [], []
    for _ in range(3):
        # One thread is the bare loop's best at this size, the more so beside other programs.
        with one_thread():
            bare.append(ROWS * (EPOCHS - 1) / _seconds_of_bare_loop(*held, loss, len(model.heads)))
        ours.append(streamed())
    found = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
    what = f"{spec} network 10-30-20, mini-batches of {BATCH:,} from Parquet / bare PyTorch loop ({kind}) in memory"
    detail = f"{statistics.median(ours):,.0f} / {statistics.median(bare):,.0f} rows a second"
    return Figure(what, ">= 0.5", f"{found:.2f}", detail)


def _seconds_of_bare_loop(x: Tensor, y: Tensor, loss: Callable[[Tensor, Tensor], Tensor], heads: int) -> float:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(x.shape[1], 30), nn.ReLU(), nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, heads)
    ).to(x.dtype)  # fmt: skip
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
    begun = time.perf_counter()
    for _ in range(EPOCHS - 1):
        order = torch.randperm(len(y))
        for chosen in order.split(BATCH):
            optimizer.zero_grad()
            loss(net(x[chosen]), y[chosen]).backward()
            optimizer.step()
    return time.perf_counter() - begun


def _poisson_loss(out: Tensor, y: Tensor) -> Tensor:
    return nn.functional.poisson_nll_loss(out[:, 0], y)


def _negative_binomial_loss(out: Tensor, y: Tensor) -> Tensor:
    mean, size = torch.exp(out[:, 0]), torch.exp(out[:, 1])
    logits = torch.log(mean) - torch.log(size)
    return -torch.distributions.NegativeBinomial(size, logits=logits, validate_args=False).log_prob(y).mean()


def _canonical() -> Iterator[Figure]:
    """Full-batch steps, so that nothing but the step is timed."""
    for rows, hidden, epochs in ((400, (30, 20), 500), (20_000, (), 100), (20_000, (30, 20), 50)):
        x, y, _, _ = heteroscedastic(rows, np.random.default_rng(5))
        data = Arrays(x, y, np.ones(rows), None, NAMES)
        settings = NetworkSettings(hidden, "sgd", 0.01, None, epochs, validation=0.0)
        model = CountModel.of(family("poisson"))

        def run(gradient: str, data: Arrays = data, settings: NetworkSettings = settings, model=model) -> object:
            return train(model, data, replace(settings, gradient=gradient))

        found, canonical, autograd = ratio(lambda: run("canonical"), lambda: run("autograd"), 5)
        shape = "-".join(map(str, (len(NAMES), *hidden, 1)))
        detail = f"{canonical / epochs * 1e3:.3f} ms / {autograd / epochs * 1e3:.3f} ms a step"
        yield Figure(f"poisson {shape}, {rows:,} rows: canonical / autograd", "-", f"{found:.2f}", detail)


def _memory() -> Iterator[Figure]:
    peaks, seconds = [], []
    for rows in (ROWS, LARGE):
        network_parquet(rows)
        code = f"from benchmarks.network import train_once; train_once({str(network_parquet(rows))!r})"
        begun = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - begun)
        peaks.append(float(done.stdout))
    what = f"peak memory, one epoch of a nb network on {ROWS:,} and {LARGE:,} rows of Parquet"
    measured = " and ".join(f"{peak:.0f} MB" for peak in peaks)
    yield Figure(what, "not growing", measured, f"{seconds[0]:.1f} s and {seconds[1]:.1f} s, whole processes")


def train_once(path: str) -> None:
    """One epoch; prints the largest resident set in MB."""
    from pathlib import Path

    model = CountModel.of(family("nb"))
    formula = parse(f"y ~ {' + '.join(NAMES)}", model.heads, "nb")
    train(model, ParquetRows.of([Path(path)], formula, model), replace(SETTINGS, epochs=1))
    # Not getrusage: it begins at what the process had that started this one.
    status = Path("/proc/self/status").read_text()
    print(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1e3)
