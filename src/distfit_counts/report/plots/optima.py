"""What the pictures of restarts share: which optimum each reached, and how far it ends above the best NLL."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from distfit_counts.families.constraint import SIMPLEX, UNIT
from distfit_counts.families.spec import parse
from distfit_counts.report.numbers import fixed, number
from distfit_counts.report.plots.axes import value_axis
from distfit_counts.report.plots.theme import Series
from distfit_counts.result import Fit, Restart
from distfit_counts.settings import SAME_OPTIMUM

if TYPE_CHECKING:
    import altair as alt

# Optima with a style of their own; what ends elsewhere is one group.
_SHOWN = 4
# Ratio of largest to smallest from which a positive parameter is drawn on a logarithmic axis.
_WIDE = 30.0


def best_nll(fit: Fit) -> float:
    """The lowest NLL reached, the supremum at a boundary included."""
    return min(-fit.log_likelihood, min(restart.nll for restart in fit.restarts))


def optimum(fit: Fit, restart: Restart) -> str:
    """The name of the optimum that ``restart`` reached, as the key shows it."""
    if restart.basin > _SHOWN:
        return "worse optima"
    if restart.basin == 1:
        return "best optimum"
    nearest = min(other.nll for other in fit.restarts if other.basin == restart.basin)
    return f"optimum {restart.basin}: NLL +{number(nearest - best_nll(fit), 3)}"


def optima(fit: Fit) -> list[str]:
    """The optima that were reached, best first."""
    ordered = sorted(fit.restarts, key=lambda restart: restart.basin)
    return list(dict.fromkeys(optimum(fit, restart) for restart in ordered))


def reached(fit: Fit) -> str:
    """``All 10 restarts reach the same optimum``, and whether the starts beside simpler families do; or how many reach
    the best one, and how far off the others end.
    """
    own = [restart for restart in fit.restarts if restart.asked] or list(fit.restarts)
    best = sum(restart.basin == 1 for restart in own)
    if best < len(own):
        others = f"; the others end {_worse(fit, own)}" if _worse(fit, own) else ""
        return f"{best} of {len(own)} restarts reach{'es' * (best == 1)} the best optimum{others}"
    said = f"All {best} restarts reach the same optimum" if best > 1 else "The one restart reaches the optimum"
    beside = [restart for restart in fit.restarts if restart not in own]
    elsewhere = sum(restart.basin != 1 for restart in beside)
    if not elsewhere:
        return said
    below = _worse(fit, beside) or "elsewhere"
    return f"{said}; {elsewhere} of {len(beside)} starts beside simpler families end{'s' * (elsewhere == 1)} {below}"


def starts(fit: Fit) -> str:
    """``10 restarts (newton, seed 0) and 2 starts beside the solutions of simpler families``."""
    own = sum(restart.asked for restart in fit.restarts)
    nested = len(fit.restarts) - own
    beside = f" and {nested} start{'s' * (nested != 1)} beside the solutions of simpler families" if nested else ""
    return f"{own} restart{'s' * (own != 1)} ({fit.optimizer}, seed {fit.seed}){beside}"


def keyed(series: Series, chart: alt.ConcatChart) -> alt.VConcatChart | alt.ConcatChart:
    """``chart`` under the key to its optima, where there are several."""
    import altair as alt

    return alt.vconcat(series.key(), chart, spacing=14) if len(series.names) > 1 else chart


def _worse(fit: Fit, restarts: Sequence[Restart]) -> str:
    """How far below the best optimum those of ``restarts`` end that end elsewhere; empty where none has an end."""
    worse = [r.nll - best_nll(fit) for r in restarts if r.basin != 1 and math.isfinite(r.nll)]
    return f"{_span(worse)} log-likelihood units below it" if worse else ""


def _span(worse: Sequence[float]) -> str:
    low, high = (fixed(value, 2) if value >= 0.01 else number(value, 2) for value in (min(worse), max(worse)))
    return low if low == high else f"{low} to {high}"


def excess(fit: Fit, nll: float) -> float | None:
    """NLL above the best, at least SAME_OPTIMUM (a logarithmic axis has no zero); None where it is not finite."""
    return max(nll - best_nll(fit), SAME_OPTIMUM) if math.isfinite(nll) else None


def excess_axis(values: Sequence[float | None], most: int = 6) -> tuple[alt.Scale, alt.Axis]:
    """The axis of ``excess``: up to 1 at least, so that restarts that agree stand at its foot, not beside one tick."""
    return value_axis([*values, SAME_OPTIMUM, 1.0], True, most)


def is_wide(fit: Fit, name: str, values: Sequence[float]) -> bool:
    """Whether a parameter's ``values`` need a logarithmic axis; a probability never does."""
    constraint = next(p.constraint for p in parse(fit.family).parameters if name in p.names)
    positive = [value for value in values if 0.0 < value < math.inf]
    bounded = constraint is UNIT or constraint is SIMPLEX
    return not bounded and bool(positive) and max(positive) > _WIDE * min(positive)


def drawable(value: float, wide: bool) -> float | None:
    """``value`` where the axis has a place for it."""
    return value if math.isfinite(value) and (value > 0.0 or not wide) else None
