"""Transforms that remember the data of the fit: standardised columns, orthogonal polynomials, splines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from distfit_counts.errors import DataError
from distfit_counts.formula.arguments import Argument, number, truth, truth_or_number, whole
from distfit_counts.formula.splines import BSpline, CubicSpline
from distfit_counts.formula.state import State, finite

Array = npt.NDArray[np.float64]

_MOST_DEGREE = 30


class Transform(Protocol):
    """Values [N] and options -> a state, and with the state columns [N, K]."""

    @property
    def arguments(self) -> Mapping[str, Argument]: ...

    def fitted(self, x: Array, options: Mapping[str, Any]) -> State:
        """What is kept of the data of the fit. Raises DataError for data that it cannot bear."""
        ...

    def known(self, state: State, options: Mapping[str, Any]) -> bool:
        """Whether ``state``, read from a file, could have been kept."""
        ...

    def fields(self, state: State, options: Mapping[str, Any]) -> list[str]:
        """What stands behind the name of the term in those of its columns."""
        ...

    def columns(self, x: Array, state: State, options: Mapping[str, Any]) -> Array: ...


class Scale:
    """(x - mean) / sd, as R's scale(); ``spread`` names the option for the standard deviation."""

    def __init__(self, spread: str | None = "scale", ddof: int = 1) -> None:
        self._spread, self._ddof = spread, ddof

    @property
    def arguments(self) -> Mapping[str, Argument]:
        if self._spread is None:
            return {}
        divisor = Argument(number().value, "a number", self._ddof)
        return {"center": truth_or_number(True), self._spread: truth_or_number(True), "ddof": divisor}

    def fitted(self, x: Array, options: Mapping[str, Any]) -> State:
        ddof = options.get("ddof", self._ddof)
        center = _number_or(options.get("center", True), lambda: float(x.mean()))
        moved = x if center is None else x - center
        if not len(x) > ddof:
            raise DataError(f"{len(x)} rows have no such standard deviation", "lower ddof, or leave the term out")
        spread = _number_or(
            self._spread is not None and options[self._spread],
            lambda: float(np.sqrt((moved**2).sum() / (len(x) - ddof))),
        )
        if spread == 0.0:
            raise DataError("all its values are the same", "a constant has no scale: leave the term out")
        return {"ddof": ddof, "center": center, "scale": spread}

    def known(self, state: State, options: Mapping[str, Any]) -> bool:
        if set(state) != {"ddof", "center", "scale"} or state["scale"] == 0.0:
            return False
        return finite([0.0 if value is None else value for value in state.values()])

    def fields(self, state: State, options: Mapping[str, Any]) -> list[str]:
        return [""]

    def columns(self, x: Array, state: State, options: Mapping[str, Any]) -> Array:
        if state["center"] is not None:
            x = x - state["center"]
        return (x if state["scale"] is None else x / state["scale"])[:, None]


def _number_or(said: bool | float, otherwise: Any) -> float | None:
    """The number that was given, the one that is computed where True was, None where False was."""
    if isinstance(said, bool):
        return float(otherwise()) if said else None
    return said


class Polynomial:
    """Orthogonal polynomials of the degrees 1 to d, by their three-term recurrence (Forsythe 1957); or x, x^2, ..."""

    arguments: Mapping[str, Argument] = {"degree": whole(1, _MOST_DEGREE, 1), "raw": truth(False)}

    def fitted(self, x: Array, options: Mapping[str, Any]) -> State:
        degree = options["degree"]
        distinct = len(np.unique(x))
        if distinct <= degree:
            raise DataError(
                f"it needs more than {degree} distinct values, and there are {distinct:,}", "lower the degree"
            )
        if options["raw"]:
            return {}
        state: State = {"alpha": {}, "norms2": {}}
        before, own = np.zeros(len(x)), np.ones(len(x))
        for k in range(degree + 1):
            state["norms2"][k] = float(own @ own)
            if k < degree:
                state["alpha"][k] = float((x * own) @ own / state["norms2"][k])
                before, own = own, _following(x, before, own, state, k)
        return state

    def known(self, state: State, options: Mapping[str, Any]) -> bool:
        if options["raw"]:
            return not state
        degree, alpha, norms = options["degree"], state.get("alpha"), state.get("norms2")
        return (
            set(state) == {"alpha", "norms2"}
            and isinstance(alpha, dict)
            and isinstance(norms, dict)
            and set(alpha) == set(range(degree))
            and set(norms) == set(range(degree + 1))
            and finite(alpha.values())
            and finite(norms.values())
            and all(value > 0.0 for value in norms.values())
        )

    def fields(self, state: State, options: Mapping[str, Any]) -> list[str]:
        return [f"[{k}]" for k in range(1, options["degree"] + 1)]

    def columns(self, x: Array, state: State, options: Mapping[str, Any]) -> Array:
        found = np.empty((len(x), options["degree"]), order="F")
        before, own = np.zeros(len(x)), np.ones(len(x))
        for k in range(options["degree"]):
            if options["raw"]:
                found[:, k] = x ** (k + 1)
                continue
            before, own = own, _following(x, before, own, state, k)
            found[:, k] = own / np.sqrt(state["norms2"][k + 1])
        return found


def _following(x: Array, before: Array, own: Array, state: State, k: int) -> Array:
    """p_{k+1} = (x - alpha_k) p_k - beta_k p_{k-1}."""
    found: Array = (x - state["alpha"][k]) * own
    return found - state["norms2"][k] / state["norms2"][k - 1] * before if k else found


TRANSFORMS: Mapping[str, Transform] = {
    "bs": BSpline(),
    "cc": CubicSpline(cyclic=True),
    "center": Scale(None),
    "cr": CubicSpline(cyclic=False),
    "cs": CubicSpline(cyclic=False),
    "poly": Polynomial(),
    "scale": Scale(),
    "standardize": Scale("rescale", 0),
}
# Those that make one column, and may stand within arithmetic.
ONE_COLUMN = ("center", "scale", "standardize")
