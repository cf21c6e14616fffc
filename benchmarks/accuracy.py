"""Distance to the best known answers, where they stand beside the checkout (../shared/reference)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.measure import ROOT, Figure
from distfit_counts.data.files import read_source
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns

REFERENCE = ROOT.parent / "shared" / "reference"


def run() -> Iterator[Figure]:
    if not REFERENCE.exists():
        yield Figure("accuracy", "-", "not measured", "no reference answers beside the checkout")
        return
    yield _likelihoods()
    yield from _pmfs()


def _likelihoods() -> Figure:
    reference = json.loads((REFERENCE / "reference.json").read_text())
    gaps = []
    for record in reference.values():
        column = read_source(str(REFERENCE / record["file"]))[0]
        for spec, known in record["fits"].items():
            found = fit_columns([column], parse(spec))[0].log_likelihood
            gaps.append(found - known["log_likelihood"])
    detail = f"{len(gaps)} fits on {len(reference)} data sets; worst {min(gaps):.1e}"
    reached = sum(gap >= -1e-6 for gap in gaps)
    return Figure("log-likelihood within 1e-6 of the best known", "all", f"{reached} of {len(gaps)}", detail)


def _pmfs() -> Iterator[Figure]:
    names = {"nb": {"mean": "mu", "size": "size"}, "poisson": {"rate": "mu"}, "zip": {"pi": "pi", "rate": "mu"}}
    with (REFERENCE / "pmf_reference.csv").open() as file:
        rows = list(csv.DictReader(file))
    for spec, columns in names.items():
        own = [row for row in rows if row["family"] == spec]
        values = {name: _tensor(own, column) for name, column in columns.items()}
        found = parse(spec).log_prob_natural(values, _tensor(own, "k")).numpy()
        known = np.array([float(row["logpmf"]) for row in own])
        error = np.abs(found - known) / np.maximum(1.0, np.abs(known))
        what = f"log-pmf of {spec}, error / max(1, abs(log p))"
        yield Figure(what, "<= 1e-11", f"{error.max():.1e}", f"{len(own)} points")


def _tensor(rows: list[dict[str, str]], column: str) -> torch.Tensor:
    return torch.tensor([float(row[column]) for row in rows], dtype=torch.float64)
