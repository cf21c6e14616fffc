"""How a regression and its responses agree, for people: moments, residuals, counts line by line."""

from __future__ import annotations

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from distfit_counts.families.constraint import Array
from distfit_counts.inference.goodness.frequencies import Frequency
from distfit_counts.regression.natural_residuals import NaturalResiduals
from distfit_counts.regression.residuals import Residuals
from distfit_counts.report.frequencies import frequency_table
from distfit_counts.report.numbers import fixed, number
from distfit_counts.report.tables import plain_table


def agreement_parts(seen: Residuals | NaturalResiduals) -> list[RenderableType]:
    """For linear predictors and networks alike."""
    if isinstance(seen, NaturalResiduals):
        return [_dim([_quantile(seen.quantile)])]
    table = plain_table()
    for name in ("", "observed", "fitted"):
        table.add_column(name, justify="right" if name else "left")
    table.add_row("mean", *map(number, seen.mean))
    table.add_row("variance", *map(number, seen.variance))
    table.add_row("P(Y = 0)", *(number(zeros / seen.n) for zeros in seen.zeros))
    formula = seen.model.family.variance_formula()
    lines = [f"Pearson χ²/df {number(seen.dispersion, 4)}", _quantile(seen.quantile), *([formula] if formula else [])]
    return [table, _dim(lines), frequency_table(frequencies(seen), 100)]


def frequencies(seen: Residuals) -> list[Frequency]:
    """Observed and expected counts, line by line."""
    last = len(seen.observed) - 1
    return [
        Frequency(k, None if k == last else k, round(observed), float(expected))
        for k, (observed, expected) in enumerate(zip(seen.observed.tolist(), seen.expected, strict=True))
    ]


def _quantile(residuals: Array) -> str:
    mean, spread = fixed(float(residuals.mean()), 3), fixed(float(residuals.std()), 3)
    return f"quantile residuals: mean {mean}, standard deviation {spread} (0 and 1 if the model is true)"


def _dim(lines: list[str]) -> RenderableType:
    return Padding(Text("\n".join(lines), style="dim"), (0, 0, 1, 1))
