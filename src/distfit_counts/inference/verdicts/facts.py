"""What verdicts are drawn from: everything known about one column's fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.fitted.estimates import Judgement
from distfit_counts.result import Estimate, Goodness, HypothesisTest, Restart
from distfit_counts.settings import FitSettings


@dataclass(frozen=True)
class Facts:
    """``judgement`` and ``row`` are where the numbers come from; the rest is what the reader sees of them."""

    judgement: Judgement
    row: int
    histogram: Histogram
    restarts: Sequence[Restart]
    n_restarts: int
    estimates: Mapping[str, Estimate]
    derived: Mapping[str, float]
    goodness: Goodness
    tests: Sequence[HypothesisTest]
    settings: FitSettings
