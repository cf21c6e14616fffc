"""Fits as one table, in portions: a row for every fit and parameter, everything else repeated, so that any tool can
filter and pivot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.numbers import BOUNDARY, Numbers
from distfit_counts.inference.hypotheses.adjusted import benjamini_hochberg
from distfit_counts.report.progress import Report

# Fits of a portion: some 10 MB while it is written.
_PORTION = 4_096
_PARAMETER = ("parameter", "estimate", "std_error", "lower", "upper", "boundary")
_FIT = ("n", "n_missing", "log_likelihood", "n_parameters", "aic", "aicc", "bic", "converged", "status", "verdicts")
_NAMES = ("source", "column", "family", *_PARAMETER, *_FIT)
_WORDS = {number: word for word, number in BOUNDARY.items()}
Column = list[Any]


def p_values(runs: Sequence[Numbers]) -> dict[str, Array]:
    """The p-values [N] of every test that has one for some of the fits, by its code."""
    found = {}
    for code in dict.fromkeys(code for numbers in runs for code in numbers.p_values):
        none = [np.full(len(numbers.n), np.nan) for numbers in runs]
        p = np.concatenate([numbers.p_values.get(code, n) for numbers, n in zip(runs, none, strict=True)])
        if not np.isnan(p).all():
            found[code] = p
    return found


def adjusted(p: Mapping[str, Array]) -> dict[str, Array]:
    """The same, adjusted for the number of fits; nothing where there is only one."""
    return {code: benjamini_hochberg(own) for code, own in p.items() if len(own) > 1}


def group_columns(runs: Sequence[Numbers]) -> dict[str, str]:
    """Under which name each grouping column stands in the table: its own, unless the table has such a column anyway."""
    return {name: f"group.{name}" if name in _NAMES else name for name in runs[0].places[0].group}


def portions(runs: Sequence[Numbers], report: Report | None = None) -> Iterator[dict[str, Column]]:
    """The columns of the table by name, of some thousand fits at a time. None: a number that does not exist.

    ``report`` is told how many fits of how many are done.
    """
    p, groups, done = p_values(runs), group_columns(runs), 0
    q = adjusted(p)
    tests = {f"{code}.{what}": of[code] for code in p for what, of in (("p", p), ("p_adjusted", q)) if code in of}
    in_all = sum(len(numbers.n) for numbers in runs)
    for numbers in runs:
        total = len(numbers.n)
        for first in range(0, total, _PORTION):
            part = slice(first, min(first + _PORTION, total))
            own = {name: values[done + part.start : done + part.stop] for name, values in tests.items()}
            yield _portion(numbers, part, groups, own)
            if report is not None:
                report(done + part.stop, in_all)
        done += total


def _portion(numbers: Numbers, part: slice, groups: Mapping[str, str], tests: Mapping[str, Array]) -> dict[str, Column]:
    names, places = numbers.names, numbers.places[part]
    estimates, ends = numbers.estimates[part].reshape(-1, 4), numbers.boundary[part].ravel().tolist()
    words = [_WORDS[end] for end in ends]
    parameters = dict(zip(_PARAMETER, [list(names) * len(places), *map(_known, estimates.T), words], strict=True))
    where: dict[str, Column] = {"source": [p.source for p in places], "column": [p.column for p in places]}
    where |= {shown: [p.group.get(name) for p in places] for name, shown in groups.items()}
    where["family"] = [numbers.family] * len(places)
    criteria = [_known(values[part]) for values in (numbers.aic, numbers.aicc, numbers.bic)]
    whole: list[Column] = [numbers.n[part].tolist(), numbers.n_missing[part].tolist()]
    whole += [_known(numbers.log_likelihood[part]), [numbers.n_parameters] * len(places), *criteria]
    codes = [" ".join(codes) for codes in numbers.codes[part]]
    whole += [numbers.converged[part].tolist(), list(numbers.status[part]), codes]
    fitted = dict(zip(_FIT, whole, strict=True)) | {name: _known(p) for name, p in tests.items()}
    return _repeated(where, len(names)) | parameters | _repeated(fitted, len(names))


def _repeated(columns: Mapping[str, Column], times: int) -> dict[str, Column]:
    return {name: [x for x in column for _ in range(times)] for name, column in columns.items()}


def _known(values: Array) -> Column:
    listed: Column = values.tolist()
    for i in np.flatnonzero(np.isnan(values)).tolist():
        listed[i] = None
    return listed
