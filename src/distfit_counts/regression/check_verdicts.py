"""What new rows say of a regression, in sentences with the codes of checks of plain fits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from distfit_counts.inference.verdicts.new_data import FAR, PASS, errors, zeros_verdict
from distfit_counts.regression.residuals import Residuals
from distfit_counts.result import Verdict

if TYPE_CHECKING:
    from distfit_counts.regression.check import RegressionCheck


def check_verdicts(found: RegressionCheck) -> tuple[Verdict, ...]:
    """All that hold, or that none does."""
    return tuple([*_same_data(found), *_outside(found), *_drift(found), *_spread(found), *_zeros(found)]) or (PASS,)


def _same_data(found: RegressionCheck) -> Iterator[Verdict]:
    if abs(found.log_score - found.saved.log_score) < 1e-12 * abs(found.log_score):
        yield Verdict("check.same_data", "These are the rows that the model was fitted to: its scores flatter it.")


def _outside(found: RegressionCheck) -> Iterator[Verdict]:
    if found.outside:
        yield Verdict(
            "check.outside_support",
            f"The model cannot produce {found.outside:,} of {len(found.rows.seen.y):,} responses: the log score is "
            "infinite. Leave those rows out, or fit a family that has them.",
        )


def _drift(found: RegressionCheck) -> Iterator[Verdict]:
    mean, error = found.residuals.mean.value, found.residuals.n**-0.5
    if abs(mean) > FAR * error:
        yield Verdict(
            "check.drift",
            f"The responses are {'higher' if mean > 0 else 'lower'} than predicted: their quantile residuals have the "
            f"mean {mean:.3g}, {errors(mean, error)} 0.",
        )


def _spread(found: RegressionCheck) -> Iterator[Verdict]:
    spread, error = found.residuals.deviation.value, (2.0 * found.residuals.n) ** -0.5
    if abs(spread - 1.0) > FAR * error:
        yield Verdict(
            "check.spread",
            f"The responses scatter {'more' if spread > 1 else 'less'} than predicted: their quantile residuals have "
            f"the standard deviation {spread:.3g}, {errors(spread - 1.0, error)} 1.",
        )


def _zeros(found: RegressionCheck) -> list[Verdict]:
    seen = found.rows.seen
    if not isinstance(seen, Residuals) or seen.model.family.lowest > 0:
        return []
    moments = seen.moments
    return zeros_verdict(moments.n, *(zeros / moments.n for zeros in moments.zeros))
