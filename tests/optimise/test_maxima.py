"""No maximum of a mixture is missed: samples on which fits have ended in a lower one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

CASES = json.loads((Path(__file__).parent / "lost.json").read_text())
QUICK = [case for case in CASES if len(case["v"]) < 20]
# Rutherford and Geiger (1910): alpha particles in 2,608 intervals.
RUTHERFORD = [57, 203, 383, 525, 532, 408, 273, 139, 45, 27, 10, 4, 0, 1, 1]


def named(case: dict) -> str:
    return f"{case['family']} {case['kind']} {len(case['v'])}"


@pytest.mark.parametrize(
    "case",
    [*QUICK, *(pytest.param(case, marks=pytest.mark.slow) for case in CASES if case not in QUICK)],
    ids=lambda case: named(case),
)
def test_maxima_that_were_missed(case: dict, fit) -> None:
    found = fit(np.array(case["v"]), case["family"], np.array(case["c"]))
    assert found.log_likelihood >= case["best"] - 1e-6


@pytest.mark.parametrize("restarts", [1, 10])
def test_a_component_of_two_counts_among_thousands(restarts: int, fit) -> None:
    found = fit(np.arange(15), "2*poisson", np.array(RUTHERFORD), restarts=restarts)
    assert found.log_likelihood == pytest.approx(-5351.78168, abs=1e-5)
    values = [found.parameters[name].estimate for name in ("rate[1]", "rate[2]", "weight[1]", "weight[2]")]
    assert values == pytest.approx([3.8666, 11.147, 0.99932, 0.00068], rel=2e-3)
