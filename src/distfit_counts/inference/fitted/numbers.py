"""What was found of many columns, as arrays: no ``Fit`` is built."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.inference.selection.criteria import aic, aicc, bic
from distfit_counts.result import Fit

Ints = npt.NDArray[np.int64]
# How ``Numbers.boundary`` is written.
BOUNDARY = {None: 0, "lower": -1, "upper": 1}


class Place(Protocol):
    """What is fitted: a column of a source, or one group of it."""

    @property
    def source(self) -> str: ...
    @property
    def column(self) -> str: ...
    @property
    def group(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, eq=False)
class Numbers:
    """F fits of one family with ``n_parameters`` free parameters.

    ``estimates`` [F, P', 4]: estimate, standard error, lower and upper end; ``boundary`` [F, P']: −1 at the lower end
    of the range, 1 at the upper, else 0. ``n``, ``n_missing``, ``log_likelihood``, ``prob_zero`` and ``converged`` [F];
    ``equivalent``: the family of ``Fit.reduced``; ``codes``: of the verdicts; ``p_values``: [F] by the code of the
    test, NaN where there is none; ``chi_square`` [F, 2]: Pearson's X² and its degrees of freedom.
    """

    family: str
    names: tuple[str, ...]
    n_parameters: int
    places: Sequence[Place]
    estimates: Array
    boundary: Ints
    n: Ints
    n_missing: Ints
    log_likelihood: Array
    prob_zero: Array
    converged: npt.NDArray[np.bool_]
    status: Sequence[str]
    equivalent: Sequence[str]
    codes: Sequence[tuple[str, ...]]
    p_values: Mapping[str, Array]
    chi_square: Array

    @classmethod
    def of(cls, fits: Sequence[Fit]) -> Numbers:
        """Those of ``fits``, all of one family."""
        first = fits[0]
        tested = [{test.code: test.p_value for test in (*fit.goodness.tests, *fit.tests)} for fit in fits]
        listed = [[(e.estimate, e.std_error, e.lower, e.upper) for e in fit.parameters.values()] for fit in fits]
        ends = [[BOUNDARY[e.boundary] for e in fit.parameters.values()] for fit in fits]
        shape = (len(fits), len(first.parameters))
        codes = dict.fromkeys(code for tests in tested for code in tests)
        return cls(
            family=first.family,
            names=tuple(first.parameters),
            n_parameters=first.n_parameters,
            places=fits,
            estimates=np.array(listed, dtype=np.float64).reshape(*shape, 4),
            boundary=np.array(ends, dtype=np.int64).reshape(shape),
            n=np.array([fit.n for fit in fits]),
            n_missing=np.array([fit.histogram.n_missing for fit in fits]),
            log_likelihood=np.array([fit.log_likelihood for fit in fits]),
            prob_zero=np.array([fit.prob_zero for fit in fits]),
            converged=np.array([fit.converged for fit in fits]),
            status=[fit.status for fit in fits],
            equivalent=[fit.reduced.family for fit in fits],
            codes=[tuple(verdict.code for verdict in fit.verdicts) for fit in fits],
            p_values={code: np.array([tests.get(code, np.nan) for tests in tested]) for code in codes},
            chi_square=np.array([(fit.goodness.tests[0].statistic, fit.goodness.tests[0].df) for fit in fits]),
        )

    @classmethod
    def join(cls, parts: Sequence[Numbers], order: Sequence[Ints], places: Sequence[Place]) -> Numbers:
        """The fits of ``parts``, which are those numbered ``order`` among all ``places``."""
        place = np.argsort(np.concatenate(order))

        def joined(name: str) -> Any:
            return np.concatenate([getattr(part, name) for part in parts])[place]

        def listed(name: str) -> list[Any]:
            found = [item for part in parts for item in getattr(part, name)]
            return [found[i] for i in place.tolist()]

        tests = {code: np.concatenate([part.p_values[code] for part in parts]) for code in parts[0].p_values}
        return replace(
            parts[0],
            places=places,
            estimates=joined("estimates"),
            boundary=joined("boundary"),
            n=joined("n"),
            n_missing=joined("n_missing"),
            log_likelihood=joined("log_likelihood"),
            prob_zero=joined("prob_zero"),
            converged=joined("converged"),
            status=listed("status"),
            equivalent=listed("equivalent"),
            codes=listed("codes"),
            p_values={code: p[place] for code, p in tests.items()},
            chi_square=joined("chi_square"),
        )

    @cached_property
    def aic(self) -> Array:
        return aic(self.log_likelihood, self.n_parameters)

    @cached_property
    def aicc(self) -> Array:
        return aicc(self.log_likelihood, self.n_parameters, self.n)

    @cached_property
    def bic(self) -> Array:
        return bic(self.log_likelihood, self.n_parameters, self.n)


class Numbered(Sequence[Fit], ABC):
    """Fits of one family whose numbers are known without building them."""

    @property
    @abstractmethod
    def numbers(self) -> Numbers: ...


def runs(fits: Sequence[Fit]) -> list[Numbers]:
    """The numbers of ``fits``, in their order: neighbours of the same family together."""
    if isinstance(fits, Numbered):
        return [fits.numbers]
    same = itertools.groupby(fits, key=lambda fit: (fit.family, tuple(fit.parameters)))
    return [Numbers.of(list(group)) for _, group in same]
