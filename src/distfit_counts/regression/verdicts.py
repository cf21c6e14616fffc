"""What a reader must know before using a regression's numbers, the gravest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from distfit_counts.inference.verdicts.convergence import REASONS
from distfit_counts.optimise.minimise import CONVERGED
from distfit_counts.regression.agreement import Moments
from distfit_counts.regression.cells import listed
from distfit_counts.regression.design import Design
from distfit_counts.regression.lost import lost
from distfit_counts.regression.misfit import misfit
from distfit_counts.regression.problem import Problem
from distfit_counts.regression.result import FittedPredictor
from distfit_counts.regression.row_model import CountModel
from distfit_counts.regression.solve import Solution
from distfit_counts.result import Verdict
from distfit_counts.settings import SAME_OPTIMUM, FitSettings

# Fewer rows for each parameter, and fewer clusters, are told.
_ROWS_PER_PARAMETER, _CLUSTERS = 5, 30
# An offset with a wider range multiplies means by more than counts can differ.
_FARTHEST = 50.0


def verdicts(
    solution: Solution,
    ended: Solution,
    predictors: Sequence[FittedPredictor],
    moments: Moments | None,
    data: Design,
    settings: FitSettings,
    errors: str,
    clusters: int | None,
) -> tuple[Verdict, ...]:
    """All that hold. ``ended``: the ``solution`` with what runs to infinity at its end; ``errors``: which standard
    errors there are; ``clusters``: how many they rest on, None where they rest on rows.
    """
    if not data.y.any() and moments is not None:
        nothing = "All counts are zero: the mean runs to 0 whatever the covariates, and nothing can be estimated."
        return (Verdict("terms.all_zero", nothing),)
    asked = solution.problem.model
    found = [
        *data.remarks,
        *_constant(data),
        *_offset(data),
        *_boundary(solution),
        *_convergence(solution, ended, settings),
        *_few_rows(solution, data),
        *_few_clusters(clusters),
        *_aliased(predictors),
        *_nearly_collinear(predictors, solution.reached.problem),
        *_without_error(predictors, errors),
        *lost(predictors, data, solution.reached.problem.model),
        *(misfit(moments, asked.family, errors) if moments is not None and isinstance(asked, CountModel) else ()),
    ]
    return tuple(found)


def _constant(data: Design) -> Iterator[Verdict]:
    seen = data.y[data.weights > 0.0]
    if len(seen) > 1 and seen.min() == seen.max():
        yield Verdict(
            "terms.constant",
            f"All {len(seen):,} responses are {seen[0]:g}: there is nothing for covariates to explain. Check the "
            "column and the filter that made it.",
        )


def _offset(data: Design) -> Iterator[Verdict]:
    for offset in {id(own.offset): own.offset for own in data.predictors if own.offset is not None}.values():
        if np.ptp(offset) > _FARTHEST:
            yield Verdict(
                "terms.offset",
                f"The offset runs from {offset.min():g} to {offset.max():g}, and means are multiplied by exp(offset): "
                "is it an exposure? --exposure takes its logarithm.",
            )


def _boundary(solution: Solution) -> Iterator[Verdict]:
    at = solution
    while at.limit is not None:
        limit, at = at.limit
        yield Verdict(limit.code, limit.reason)


def _convergence(solution: Solution, ended: Solution, settings: FitSettings) -> Iterator[Verdict]:
    if not ended.converged:
        # There is no other optimizer to advise here.
        reason = REASONS | {"saddle": "The gradient vanishes at a saddle, not at a maximum."}
        status = ended.reached.status_text
        yield Verdict(f"fit.{status}", reason[status])
        return
    own = solution.value[: settings.restarts] * solution.problem.n
    above = own + solution.log_likelihood
    there = above <= max(SAME_OPTIMUM, 0.01)
    arrived = solution.status[: settings.restarts] == CONVERGED
    if settings.restarts >= 3 and there.sum() <= 1 and (~there & arrived).any():
        times = "only one" if there.any() else "none"
        gap = above[~there].min()
        yield Verdict(
            "restarts.rarely_best",
            f"Of {settings.restarts} restarts {times} reached the best optimum; the next best ends {gap:.4g} "
            "log-likelihood units lower. Raise --restarts to be surer.",
        )


def _few_rows(solution: Solution, data: Design) -> Iterator[Verdict]:
    p = solution.problem.objective.width
    if data.n < _ROWS_PER_PARAMETER * p:
        rows, parameters = f"row{'s' * (data.n != 1)}", f"parameter{'s' * (p != 1)}"
        yield Verdict(
            "sample.few_rows",
            f"{data.n:g} {rows} for {p} {parameters}: standard errors and p-values are rough, as they rest on large "
            "samples.",
        )


def _few_clusters(clusters: int | None) -> Iterator[Verdict]:
    if clusters is not None and clusters < _CLUSTERS:
        yield Verdict(
            "sample.few_clusters",
            f"{clusters} clusters: their standard errors hold for many clusters, and are too small with fewer than "
            f"{_CLUSTERS}.",
        )


def _nearly_collinear(predictors: Sequence[FittedPredictor], problem: Problem) -> Iterator[Verdict]:
    told: dict[tuple[str, ...], tuple[list[str], float]] = {}
    for own in predictors:
        standard = problem.standards[own.head]
        if standard.nearly:
            names = tuple(own.terms.names[j] for j in standard.nearly)
            told.setdefault(names, ([], standard.condition))[0].append(own.head)
    for names, (heads, condition) in told.items():
        yield Verdict(
            "terms.nearly_collinear",
            f"{', '.join(heads)}: {listed(names)} are nearly collinear (condition number {condition:.3g}): the data "
            "hardly tell their coefficients apart, which have large standard errors; fitted means do not suffer. "
            "Centred columns, or poly(), have the same fit.",
        )


def _without_error(predictors: Sequence[FittedPredictor], errors: str) -> Iterator[Verdict]:
    for own in predictors:
        names = [own.label(c.name) for c in own.coefficients if c.note == "no error"]
        if not names:
            continue
        why = (
            "the rows are fitted exactly, and their variance is 0."
            if errors == "model"
            else "what a robust variance rests on, residuals or their sums by cluster, vanishes there, or there are no "
            "more rows than parameters. --errors model does not rest on residuals."
        )
        have, each = ("has", "error") if len(names) == 1 else ("have", "errors")
        yield Verdict("errors.none", f"{own.head}: {listed(names)} {have} no standard {each}: {why}")


def _aliased(predictors: Sequence[FittedPredictor]) -> Iterator[Verdict]:
    for own in predictors:
        names = [own.label(c.name) for c in own.coefficients if c.note == "aliased"]
        if names:
            yield Verdict(
                "terms.collinear",
                f"{own.head}: {listed(names)} can be made from the columns before (collinear): left out, with no "
                "coefficient. The fit is the same with any choice of what to leave out.",
            )
