"""What is seen, in words: the titles and notes that several pictures share."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from distfit_counts.data.group_words import after_column, group_words
from distfit_counts.inference.goodness.bands import binomial_band
from distfit_counts.inference.goodness.frequencies import Frequency
from distfit_counts.report.numbers import count, number
from distfit_counts.report.plots.bars import label
from distfit_counts.result import Fit


def about(fit: Fit) -> str:
    """``zip fitted to counts.csv, column count: 10,000 counts``, with the simpler family where it is one."""
    same = f" (at its boundary the same as {plain(fit.reduced.family)})" if fit.reduced.family != fit.family else ""
    return f"{fit.family}{same} fitted to {_named(fit.source)}, {_where(fit)}"


def about_new(fit: Fit, source: str) -> str:
    """The same of a fit that is shown on the counts of another ``source``."""
    return f"{fit.family} as fitted to {_named(fit.source)}, here on {_named(source)}, {_where(fit)}"


def plain(spec: str) -> str:
    """``spec`` with its point masses in words."""
    return re.sub(r"point\((\d+)\)", r"a point mass at \1", spec)


def _where(fit: Fit) -> str:
    group = after_column(fit.group)
    return f"column {fit.column}{group}: {count(fit.n)} count{'s' * (fit.n != 1)}"


def _named(source: str) -> str:
    return "stdin" if source == "-" else os.path.basename(source) or source


def places(fits: Sequence[Fit]) -> list[str]:
    """What sets each of ``fits`` of one run apart: its source and column, where they differ, and its group."""
    sources, columns = len({fit.source for fit in fits}) > 1, len({fit.column for fit in fits}) > 1
    return [
        ", ".join(
            [
                *([_named(fit.source)] if sources else []),
                *([fit.column] if columns or not (sources or fit.group) else []),
                *group_words(fit.group),
            ]
        )
        for fit in fits
    ]


@dataclass(frozen=True)
class Agreement:
    """How the bars agree with the model: each bar's pointwise 95 % band, how many leave it, the largest gaps.

    ``worst``: in counts, as the heights of a pmf show it; ``worst_root``: in square roots, as a rootogram does.
    """

    low: list[float]
    high: list[float]
    outside: int
    follows: bool
    worst: Frequency
    worst_root: Frequency


# Fewer have no two bins that expect 5: nothing they do speaks for or against a model.
_FEWEST = 10


def too_few(n: int, what: str) -> str:
    """``1 count is too few to tell whether ...``; empty where there are enough."""
    return f"{n} count{'s are' if n != 1 else ' is'} too few to tell whether {what}" if n < _FEWEST else ""


def gap(bar: Frequency) -> str:
    """``at 0: 1,060 observed, 1,032 expected``."""
    expected = f"{bar.expected:,.0f}" if bar.expected >= 100 else number(bar.expected, 3)
    return f"at {label(bar)}: {count(bar.observed)} observed, {expected} expected"


def agreement(bars: Sequence[Frequency], n: int) -> Agreement:
    """Compare the bars of ``n`` observations with what is expected.

    The model is said to follow the counts unless more bars leave their 95 % bands than chance explains (the 95 %
    quantile of Binomial(bars, 0.05)), or one leaves even the band that all keep with 95 % (Bonferroni).
    """
    shares = [min(bar.expected / n, 1.0) for bar in bars]
    low, high = binomial_band(n, shares)
    outside = sum(not a <= bar.observed <= b for bar, a, b in zip(bars, low, high, strict=True))
    chance = binomial_band(len(bars), [0.05], 0.90)[1][0]
    wide = zip(bars, *binomial_band(n, shares, 1.0 - 0.05 / len(bars)), strict=True)
    follows = bool(outside <= chance) and all(a <= bar.observed <= b for bar, a, b in wide)
    worst = max(bars, key=lambda bar: abs(bar.observed - bar.expected))
    worst_root = max(bars, key=lambda bar: abs(bar.observed**0.5 - bar.expected**0.5))
    return Agreement(low.tolist(), high.tolist(), outside, follows, worst, worst_root)
