"""Codings of levels: the columns [L, K] that stand for L levels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from distfit_counts.errors import DataError, DistfitError
from distfit_counts.formula.arguments import Argument, level, levels, numbers, options, truth
from distfit_counts.formula.syntax import Call, Column, Node, quoted, text_of
from distfit_counts.formula.transforms import Polynomial

Array = npt.NDArray[np.float64]
Level = str | int | float | bool

# More levels than these are labels of rows.
MOST_LEVELS = 2_000


@dataclass(frozen=True)
class Contrast:
    """``made``: levels and options -> the names of the columns beside the intercept, and their coding [L, K]."""

    made: Callable[[Sequence[Level], Mapping[str, Any]], tuple[list[str], Array]]
    arguments: Mapping[str, Argument]


def _treatment(name: str, last: bool) -> Contrast:
    def made(found: Sequence[Level], said: Mapping[str, Any]) -> tuple[list[str], Array]:
        base = said[name]
        place = (len(found) - 1 if last else 0) if base is None else _place(found, base)
        others = [i for i in range(len(found)) if i != place]
        return [f"[T.{found[i]}]" for i in others], np.eye(len(found))[:, others]

    return Contrast(made, {name: level()})


def _place(found: Sequence[Level], base: Level) -> int:
    for i, own in enumerate(found):
        if own == base or str(own) == str(base):
            return i
    listed = ", ".join(str(own) for own in found[:20])
    raise DataError(f"{str(base)!r} is none of its levels", f"its levels are {listed}")


def _sum(found: Sequence[Level], _: Mapping[str, Any]) -> tuple[list[str], Array]:
    coding = np.eye(len(found))[:, :-1]
    coding[-1] = -1.0
    return [f"[S.{own}]" for own in found[:-1]], coding


def _helmert(found: Sequence[Level], said: Mapping[str, Any]) -> tuple[list[str], Array]:
    n = len(found)
    # Column i compares level i + 1 with the mean of those before it.
    coding = np.triu(-np.ones((n, n - 1))) + np.eye(n, n - 1, -1) * np.arange(1, n)
    names = found[1:]
    if not said["reverse"]:
        coding, names = coding[::-1, ::-1], found[:-1]
    if said["scale"]:
        coding = coding / (np.abs(coding).max(axis=0) + 1.0)
    return [f"[H.{own}]" for own in names], coding


def _difference(found: Sequence[Level], said: Mapping[str, Any]) -> tuple[list[str], Array]:
    n = len(found)
    coding = np.repeat(np.arange(1, n)[None] / n, n, axis=0) - np.triu(np.ones((n, n - 1)))
    names = found[1:] if said["backward"] else found[:-1]
    return [f"[D.{own}]" for own in names], coding if said["backward"] else -coding


def _polynomial(found: Sequence[Level], said: Mapping[str, Any]) -> tuple[list[str], Array]:
    n = len(found)
    scores = np.arange(n, dtype=np.float64) if said["scores"] is None else np.array(said["scores"])
    if len(scores) != n:
        raise DataError(f"it has {n} levels and {len(scores)} scores", "give a score for each level")
    if n > _MOST_SCORED:
        raise DataError(f"it has {n:,} levels", f"polynomials are for at most {_MOST_SCORED} ordered levels")
    basis, said = Polynomial(), {"degree": n - 1, "raw": False}
    names = [f"[{ {1: '.L', 2: '.Q', 3: '.C'}.get(d, f'^{d}') }]" for d in range(1, n)]
    return names, basis.columns(scores, basis.fitted(scores, said), said)


# Beyond, orthogonal polynomials are no longer orthogonal in float64.
_MOST_SCORED = 40
_TREATMENT, _SUM = _treatment("base", last=False), Contrast(_sum, {})
_HELMERT = Contrast(_helmert, {"reverse": truth(True), "scale": truth(False)})
_DIFFERENCE = Contrast(_difference, {"backward": truth(True)})
_POLYNOMIAL = Contrast(_polynomial, {"scores": numbers()})
_SAS = _treatment("base", last=True)
CONTRASTS: Mapping[str, Contrast] = {
    "Treatment": _treatment("reference", last=False),
    "Sum": _SUM,
    "Helmert": _HELMERT,
    "Diff": _DIFFERENCE,
    "Poly": _POLYNOMIAL,
    "contr.treatment": _TREATMENT,
    "contr.sum": _SUM,
    "contr.helmert": _HELMERT,
    "contr.diff": _DIFFERENCE,
    "contr.poly": _POLYNOMIAL,
    "contr.sas": _SAS,
    "contr.SAS": _SAS,
}


@dataclass(frozen=True)
class Factor:
    """``C(inner, contrast, levels=...)``: what is coded, and how. ``levels``: None for those that are found."""

    inner: Node
    contrast: Contrast
    said: Mapping[str, Any]
    levels: tuple[Level, ...] | None

    @classmethod
    def of(cls, factor: Node) -> Factor:
        """Raises DistfitError for a coding that does not exist."""
        if not (isinstance(factor, Call) and factor.function == "C"):
            return cls(factor, _TREATMENT, {"base": None}, None)
        if not factor.arguments:
            raise DistfitError(f"the term {quoted(text_of(factor))} has no column", "write C(x)")
        named = dict(factor.named)
        coding = factor.arguments[1] if len(factor.arguments) > 1 else named.pop("contrasts", None)
        called = Call("C", factor.arguments[:1] + factor.arguments[2:], tuple(named.items()))
        if len(called.arguments) > 1:
            raise DistfitError(
                f"the term {quoted(text_of(factor))} has too many arguments", "levels are named: levels=['a']"
            )
        found = options(called, {"levels": levels(MOST_LEVELS)})["levels"]
        if coding is None:
            return cls(factor.arguments[0], _TREATMENT, {"base": None}, found)
        call = Call(coding.name, ()) if isinstance(coding, Column) else coding
        if not isinstance(call, Call) or call.function not in CONTRASTS:
            raise DistfitError(
                f"the term {quoted(text_of(factor))} has no coding {quoted(text_of(coding))}",
                f"codings are {', '.join(CONTRASTS)}",
            )
        contrast = CONTRASTS[call.function]
        return cls(factor.arguments[0], contrast, options(call, contrast.arguments, skipped=0), found)

    def coding(self, found: Sequence[Level], reduced: bool) -> tuple[list[str], Array]:
        """The names and the columns [L, K] of the levels: one of each, or fewer where the intercept is there."""
        if not reduced:
            return [f"[{own}]" for own in found], np.eye(len(found))
        return self.contrast.made(found, self.said) if len(found) > 1 else ([], np.empty((len(found), 0)))
