"""Coefficients without a finite maximum, with the reason where it can be seen in the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Role
from distfit_counts.regression.cells import Bools, Cell, constant_cells, listed
from distfit_counts.regression.design import Design
from distfit_counts.regression.directions import moved
from distfit_counts.regression.natural import Bernoulli
from distfit_counts.regression.result import FittedPredictor
from distfit_counts.regression.row_model import CountModel, RowModel, bare
from distfit_counts.result import Verdict

_UNKNOWN = "not identified"
_REMEDY = "Join the level to another, or leave it out."


def lost(predictors: Sequence[FittedPredictor], data: Design, model: RowModel) -> Iterator[Verdict]:
    """What runs to infinity and what is not identified; ``data`` has the predictors of the model that was reached."""
    for own, designed in zip(predictors, data.predictors, strict=True):
        if not own.unbounded.shape[1] and not own.unidentified.shape[1]:
            continue
        if own.unidentified.shape[1]:
            reach = np.abs(own.unidentified).max(axis=1)
            among = [c.name for c, r in zip(own.coefficients, reach, strict=True) if c.note == _UNKNOWN and r > 0.0]
            unknown = [own.label(name) for name in among]
            yield _not_identified(own, unknown, data, moved(designed.matrix, own.unidentified))
        if own.unbounded.shape[1]:
            yield from _unbounded(own, designed.matrix, data, model)


def _not_identified(own: FittedPredictor, unknown: list[str], data: Design, rows: Bools) -> Verdict:
    cells = [c for c in constant_cells(own.terms, data.frame, data.y, data.weights) if c.value == 0.0]
    where = listed([cell.name for cell in cells if (cell.rows & rows).any()], "; ") or "in part of the rows"
    return Verdict(
        "terms.not_identified",
        f"{own.head}: {where}: no count is above 0 there, and only such counts say anything of the {own.head}: "
        f"{listed(unknown)} not identified. {_REMEDY}",
    )


def _unbounded(own: FittedPredictor, matrix: Array, data: Design, model: RowModel) -> Iterator[Verdict]:
    if own.terms.names == ("Intercept",):
        yield _of_constant(own)
        return
    left, seen = moved(matrix, own.unbounded), []
    if _vanishes(own, left):
        yield Verdict(
            "terms.only_zeros",
            f"{own.head} runs to 0 in every row: this component explains zeros only, and none of its coefficients is "
            "finite. A zero-inflated family (zip, zinb, zi(...)) says that with one parameter.",
        )
        return
    response = (data.y == 0.0).astype(np.float64) if own.role is Role.ZEROS else data.y
    for cell in constant_cells(own.terms, data.frame, response, data.weights):
        if (cell.rows & left).any() and _words(own.head, cell.value, model) is not None:
            seen.append(cell)
    for value in sorted({cell.value for cell in seen}):
        yield _of_cells(own, [cell for cell in seen if cell.value == value], matrix, model)
    for cell in seen:
        left &= ~cell.rows
    left &= data.weights > 0.0
    rest = _infinite(own, matrix[left])
    if rest:
        numbers = listed([f"{row + 1}" for row in data.rows[left]])
        runs, have = (
            ("runs", "this coefficient has no standard error")
            if len(rest) == 1
            else ("run", "these coefficients have no standard errors")
        )
        yield Verdict(
            "terms.separation",
            f"{own.head}: the likelihood still rises as {listed(rest)} {runs} on without bound: in {left.sum():,} of "
            f"{len(left):,} rows ({numbers}) the covariates settle {own.head} completely "
            f"({'complete' if left.all() else 'quasi-complete'} separation). The log-likelihood is its supremum; "
            f"{have}. Fewer terms will do.",
        )


def _of_constant(own: FittedPredictor) -> Verdict:
    """Of a parameter without covariates, which none of them settles."""
    up = own.coefficients[0].note == "upper"
    if bare(own.head) == "size" and up:
        component = own.head[len("size") :].strip("[]")
        who = f"component {component}" if component else "the negative binomial"
        return Verdict(
            f"{'mixture.' * bool(component)}nb.poisson_limit",
            f"{own.head} runs to infinity: {who} is a Poisson there. A mixture with poisson in its place has the same "
            "likelihood and one parameter less.",
        )
    end = "0" if not up else "1" if own.link in ("logit", "softmax") else "infinity"
    return Verdict(
        "terms.separation",
        f"{own.head} runs to {end}, whatever the covariates: the likelihood rises without end on the way, and there is "
        "no standard error. A simpler family will do.",
    )


def _vanishes(own: FittedPredictor, rows: Bools) -> bool:
    """Whether the mean of a mixture's component runs to 0 in all rows; ``rows``: those in which it runs anywhere."""
    down = own.coefficients[0].name == "Intercept" and own.coefficients[0].note == "lower"
    return bool(down and rows.all() and own.head != bare(own.head) and own.role is Role.LOCATION)


def _of_cells(own: FittedPredictor, cells: list[Cell], matrix: Array, model: RowModel) -> Verdict:
    words = _words(own.head, cells[0].value, model)
    assert words is not None
    what, end = words
    names = listed(_infinite(own, matrix[np.any([cell.rows for cell in cells], axis=0)]))
    return Verdict(
        "terms.only_zeros" if what == "only zeros" else "terms.separation",
        f"{own.head}: {listed([cell.name for cell in cells], '; ')} {'has' if len(cells) == 1 else 'have'} {what}: "
        f"{own.head} runs to {end} there, {names} without bound and without a standard error. {_REMEDY}",
    )


def _words(head: str, value: float, model: RowModel) -> tuple[str, str] | None:
    """What a cell with a constant response has, and where its parameter runs to; None where neither is an end."""
    if isinstance(model, Bernoulli):
        return f"only {model.levels[int(value)]}", f"{value:g}"
    if not isinstance(model, CountModel):
        return None
    if model.roles[head] is Role.ZEROS:
        return ("only zeros", "1") if value == 1.0 else ("no zeros", "0")
    return ("only zeros", "0") if value == 0.0 else None


def _infinite(own: FittedPredictor, rows: Array) -> list[str]:
    """The coefficients that run to infinity and play a part in ``rows`` [n, p] of the matrix."""
    ends = {"upper": "+∞", "lower": "-∞", _UNKNOWN: "±∞"}
    played = (rows != 0.0).any(axis=0) & (np.abs(own.unbounded).max(axis=1) > 0.0)
    return [
        f"{own.label(c.name)} ({ends[c.note]})"
        for c, p in zip(own.coefficients, played, strict=True)
        if c.note in ends and p
    ]
