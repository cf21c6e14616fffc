"""Count matrices as sources: the real command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp

from tests.commands.conftest import Run
from tests.data.test_matrix import h5ad

COUNTS = np.array([[0, 3, 0, 1], [2, 0, 0, 0], [0, 3, 0, 7], [1, 0, 0, 2]])


def fitted(text: str) -> dict[str, float]:
    """The fitted rate of every variable: the mean of its counts."""
    return {line["column"]: line["parameters"]["rate"]["estimate"] for line in map(json.loads, text.splitlines())}


@pytest.mark.slow
def test_variables_and_layer_of_a_matrix(distfit: Run, tmp_path: Path) -> None:
    path = tmp_path / "cells.h5ad"
    path.write_bytes(h5ad(COUNTS * 0.5, layers__counts=sp.csr_matrix(COUNTS)))
    arguments = ["fit", path, "-f", "poisson", "--format", "json", "-q"]
    halves = distfit(*arguments)
    assert (halves.returncode, halves.stdout) == (2, "")
    assert "--layer" in halves.stderr
    done = distfit(*arguments, "--layer", "counts")
    assert list(fitted(done.stdout).values()) == pytest.approx(COUNTS.mean(axis=0))
    rows = distfit(*arguments, "--layer", "counts", "--variables", "rows")
    assert list(fitted(rows.stdout).values()) == pytest.approx(COUNTS.mean(axis=1))

    market = tmp_path / "counts.mtx"
    scipy.io.mmwrite(market, sp.coo_matrix(COUNTS))
    both = {axis: distfit("fit", market, *arguments[2:], "--variables", axis) for axis in ("rows", "columns")}
    assert list(fitted(both["rows"].stdout).values()) == pytest.approx(COUNTS.mean(axis=1))
    assert list(fitted(both["columns"].stdout).values()) == pytest.approx(COUNTS.mean(axis=0))
