"""A saved fit on new data: scores, calibration and a test, without refitting.

Nothing was estimated from the new data, so every comparison here has the null distribution of a fully specified model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.fitted.reached import log_pmf
from distfit_counts.inference.fitted.tabulate import tabulate
from distfit_counts.inference.goodness.bands import binomial_band, pit_band
from distfit_counts.inference.goodness.compared import Piece, single
from distfit_counts.inference.goodness.frequencies import Frequency, frequencies
from distfit_counts.inference.goodness.pearson import pearson
from distfit_counts.inference.goodness.residuals import pit_histogram
from distfit_counts.inference.hypotheses.tails import chi_square_tail
from distfit_counts.inference.new_data.residuals import Residuals, residuals
from distfit_counts.inference.new_data.scores import expected_log_score, log_score, ranked_probability_score
from distfit_counts.optimise.threads import one_thread
from distfit_counts.result import Fit, HypothesisTest, Verdict

NAN = float("nan")


@dataclass(frozen=True)
class Check:
    """What ``fit`` says of the counts of ``column`` (of one ``group``) of ``source``.

    ``log_score``: mean -log p, infinite where the model cannot produce a count; ``outside`` says how many of them there
    are. ``expected_log_score`` and ``log_score_deviation``: mean and standard deviation of -log p of one observation
    if the model is true. ``rps``: mean ranked probability score, in counts. ``pit``: ten heights of sum 1;
    ``pit_band``: lower and upper ends of where 95 % of each lie if the model is true. ``residuals`` sums up the
    randomised quantile residuals. ``frequencies`` are binned to be read, ``frequency_band`` is where 95 % of each would
    lie (that of a rootogram); ``bins`` are pooled for the chi-square test.
    """

    source: str
    column: str
    group: Mapping[str, Any]
    fit: Fit = field(repr=False)
    histogram: Histogram = field(repr=False)
    outside: int
    log_score: float
    expected_log_score: float
    log_score_deviation: float
    rps: float
    pit: tuple[float, ...]
    pit_band: tuple[tuple[float, ...], tuple[float, ...]]
    residuals: Residuals
    frequencies: tuple[Frequency, ...] = field(repr=False)
    frequency_band: tuple[tuple[float, ...], tuple[float, ...]] = field(repr=False)
    bins: tuple[Frequency, ...] = field(repr=False)
    chi_square: HypothesisTest
    verdicts: tuple[Verdict, ...] = ()

    @property
    def n(self) -> int:
        return self.histogram.n

    @property
    def log_score_z(self) -> float:
        """(log score - expected) / (deviation / sqrt n), standard normal if the model is true (Seillier-Moiseiwitsch
        and Dawid 1993); NaN for a model that is sure of its count.
        """
        if self.log_score_deviation == 0.0:
            return NAN
        z: float = (self.log_score - self.expected_log_score) * self.n**0.5 / self.log_score_deviation
        return z


def check(fit: Fit, column: Column) -> Check:
    """``fit`` on the counts of ``column``. Raises DataError where it has none."""
    from distfit_counts.inference.verdicts.new_data import check_verdicts

    column.require_values()
    with one_thread():
        found = _measured(fit, column)
    return replace(found, verdicts=check_verdicts(found))


def _measured(fit: Fit, column: Column) -> Check:
    histogram = column.histogram
    log_p = partial(log_pmf, *fit.model)
    pmf = Pmf.of(*fit.model)
    table = tabulate(pmf, histogram.values)
    expected, deviation = expected_log_score(table)
    impossible = np.isneginf(log_p(histogram.values.astype(np.float64)))
    lower, upper = pit_band(histogram.n, table.cdf)
    pooled, test = chi_square(single(np.array([0]), histogram, fit.mean, fit.variance, pmf))
    shown = tuple(frequencies(histogram, pmf))
    low, high = binomial_band(histogram.n, [min(row.expected / histogram.n, 1.0) for row in shown])
    return Check(
        source=column.source,
        column=column.column,
        group=column.group,
        fit=fit,
        histogram=histogram,
        outside=int(histogram.weights[impossible].sum()),
        log_score=log_score(histogram, log_p),
        expected_log_score=expected,
        log_score_deviation=deviation,
        rps=ranked_probability_score(histogram, table),
        pit=tuple(pit_histogram(histogram, table.cdf).tolist()),
        pit_band=(tuple(lower.tolist()), tuple(upper.tolist())),
        residuals=residuals(histogram, table.log_tails, fit.seed),
        frequencies=shown,
        frequency_band=(tuple(low.tolist()), tuple(high.tolist())),
        bins=pooled,
        chi_square=test,
    )


def chi_square(piece: Piece) -> tuple[tuple[Frequency, ...], HypothesisTest]:
    """Bins, and Pearson's X2 of a fully specified model: chi-square on bins - 1 df, for nothing was estimated (1900).

    The bins are those of a fit to the same counts: neighbours pooled until 5 are expected in each. No p-value where
    that leaves a single bin.
    """
    pooled = piece.bins.at(0)
    statistic, df = float(pearson(*piece.bins.padded)[0]), len(pooled) - 1
    if df < 1:
        test = HypothesisTest("chi_square", "Pearson X²", NAN, NAN, NAN, "fewer than two bins with 5 expected counts")
    else:
        p = float(chi_square_tail(statistic, df))
        test = HypothesisTest("chi_square", "Pearson X²", statistic, float(df), p, f"chi-square on {df} df")
    return pooled, test
