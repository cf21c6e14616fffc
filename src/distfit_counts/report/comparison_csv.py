"""Comparisons as CSV: one line for every column and family, without building their fits."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from distfit_counts.inference.selection.ceilings import poisson_mixtures, saturated

if TYPE_CHECKING:
    from distfit_counts.comparing import Comparisons, Ranked
    from distfit_counts.inference.fitted.numbers import Numbers

# Columns of a block of lines.
_BLOCK = 1_000
_CRITERIA = ("log_likelihood", "n_parameters", "aic", "aicc", "bic", "delta_bic", "akaike_weight", "icl")
_FIT = (*_CRITERIA, "chi_square", "chi_square_df", "chi_square_p", "prob_zero", "converged", "equivalent")


def comparison_lines(comparisons: Comparisons) -> Iterator[str]:
    """The header, then the lines of some columns at a time.

    Of several columns the best Poisson mixture is not searched: its field is empty, and the verdicts that rest on it
    are left out. The search takes longer than all else that is said here; JSON has it for every column.
    """
    groups = list(comparisons.columns[0].group)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    last = ("saturated", "poisson_mixture_ceiling", "verdicts")
    writer.writerow(["source", "column", *groups, "rank", "family", *_FIT, *last])
    for i in range(len(comparisons)):
        writer.writerows(_rows(comparisons, i, groups))
        if (i + 1) % _BLOCK == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _rows(comparisons: Comparisons, i: int, groups: Sequence[str]) -> Iterator[list[object]]:
    column = comparisons.columns[i]
    ceiling = poisson_mixtures(column.histogram) if len(comparisons) == 1 else None
    ceilings = [saturated(column.histogram), "" if ceiling is None else ceiling.log_likelihood]
    place = [column.source, column.column, *(column.group[name] for name in groups)]
    for rank, row in enumerate(comparisons.ranking(i), start=1):
        numbers = comparisons.numbers(row.spec)
        codes = " ".join(numbers.codes[row.place])
        yield [*place, rank, row.spec, *_fit(numbers, row), *ceilings, codes]


def _fit(numbers: Numbers, row: Ranked) -> list[object]:
    at = row.place
    statistic, df = numbers.chi_square[at]
    found = [numbers.log_likelihood[at], numbers.n_parameters, numbers.aic[at], numbers.aicc[at], numbers.bic[at]]
    found += [row.delta, row.weight, row.icl, statistic, df, numbers.p_values["chi_square"][at], numbers.prob_zero[at]]
    cells: list[object] = [x if isinstance(x, int) else float(x) if math.isfinite(x) else "" for x in found]
    return [*cells, str(bool(numbers.converged[at])).lower(), numbers.equivalent[at]]
