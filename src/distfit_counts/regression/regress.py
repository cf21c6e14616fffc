"""Data, a formula and a family -> a regression."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from distfit_counts.data.frames import Kind
from distfit_counts.data.source import RowError
from distfit_counts.errors import DataError, DistfitError, FamilyError
from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.restarts import basins
from distfit_counts.optimise.ending import Ints
from distfit_counts.optimise.minimise import STATUS
from distfit_counts.optimise.threads import one_thread
from distfit_counts.regression.checked import numbers
from distfit_counts.regression.definition import defined
from distfit_counts.regression.design import Design, Predictor, design, required
from distfit_counts.regression.directions import signs
from distfit_counts.regression.estimates import Estimates
from distfit_counts.regression.formula import parse, response_of, without_dot
from distfit_counts.regression.likelihood_ratio import with_likelihood_ratios
from distfit_counts.regression.natural import GAUSSIAN, Bernoulli, Categorical, NaturalFamily, Normal
from distfit_counts.regression.natural_residuals import NaturalResiduals
from distfit_counts.regression.problem import Problem
from distfit_counts.regression.recession import Recession
from distfit_counts.regression.reported import reported
from distfit_counts.regression.residuals import Residuals
from distfit_counts.regression.responses import check_offsets, response_kind, roles_before_data, row_model
from distfit_counts.regression.result import Regression
from distfit_counts.regression.row_model import CountModel, RowModel
from distfit_counts.regression.solve import Progress, Solution, natural_heads, solve
from distfit_counts.regression.standard import Standard
from distfit_counts.regression.verdicts import verdicts
from distfit_counts.result import Restart
from distfit_counts.settings import SMALL_SAMPLE, FitSettings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Request:
    """What is asked of a regression. ``own``: formulas of single parameters; ``links``: their links.

    ``errors``: model, hc0 or hc1; ``cluster``: a column, for errors that hold where its groups are correlated;
    ``small_sample``: the factor of hc1 or of clusters: full (the default), clusters or none.
    ``likelihood_ratio``: refit without every term.
    """

    formula: str
    family: str
    own: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    offset: str | None = None
    exposure: str | None = None
    weights: str | None = None
    errors: str = "model"
    cluster: str | None = None
    likelihood_ratio: bool = False
    small_sample: str | None = None

    def __post_init__(self) -> None:
        check_offsets(self.family, self.links, self.offset, self.exposure)
        for name, value, known in (
            ("errors", self.errors, ("model", "hc0", "hc1")),
            ("small_sample", self.small_sample, (None, *SMALL_SAMPLE)),
        ):
            if value not in known:
                raise DistfitError(f"{name} = {value!r}", f"it is one of {', '.join(map(str, known))}")
        if self.cluster is not None and self.errors != "model":
            problem = f"--errors {self.errors} and --cluster are two kinds of errors"
            raise DistfitError(problem, "leave one of them out")
        if self.small_sample is not None and self.cluster is None and self.errors != "hc1":
            raise DistfitError("--small-sample does nothing without --cluster or --errors hc1", "leave it out")

    @property
    def correction(self) -> str | None:
        """The factor of the robust covariance; None where there is none."""
        if self.cluster is None and self.errors != "hc1":
            return None
        return self.small_sample or "full"

    def with_columns(self, columns: Sequence[str]) -> Request:
        """The same with a dot in the formula written out."""
        used = (self.offset, self.exposure, self.weights, self.cluster)
        return replace(self, formula=without_dot(self.formula, columns, used))

    def kinds(self) -> dict[str, Kind]:
        """The columns that are needed, each with what it must hold."""
        roles = roles_before_data(self.family, self.links)
        formula = parse(self.formula, roles, self.family, self.own)
        numbers = (self.offset, self.exposure, self.weights)
        found: dict[str, Kind] = dict.fromkeys(required(formula, tuple(roles), *numbers, self.cluster))
        found |= {name: "number" for name in numbers if name is not None}
        return found | {formula.response: response_kind(self.family)}


@one_thread()
def regress(
    frame: pd.DataFrame, request: Request, settings: FitSettings, source: str = "data", progress: Progress | None = None
) -> Regression:
    """Fit ``request`` to the rows of ``frame``.

    Raises DataError for data that the formula or the family cannot bear, FamilyError for a parameter that the family
    does not have.
    """
    response = response_of(request.formula)
    if response not in frame.columns:
        raise DataError(f'no column "{response}" in the data', f"the columns are: {', '.join(map(str, frame.columns))}")
    model, values = row_model(request.family, request.links, frame[response])
    formula = parse(request.formula, model.roles, request.family, request.own)
    frame = frame.assign(**{response: values})
    data = design(
        formula, frame, model.roles, request.offset, request.exposure, request.weights, extra=(request.cluster,)
    )
    _check(data, model, response)
    problem = Problem.of(model, data, settings.threads)
    solution = solve(problem, settings, progress=progress)
    reached = solution.reached
    own = dict(zip(model.heads, data.predictors, strict=True))
    here = _carried(solution)
    groups = None if request.cluster is None else _groups(frame, data.rows, request.cluster)
    variance = _variance(reached) if model is GAUSSIAN else None
    errors = "cluster" if groups is not None else request.errors
    scale = 1.0 if variance is None else variance
    recession = Recession.of(reached, settings)
    ended = solution.with_reached(recession.solution)
    estimates = Estimates(recession, settings.level, errors, groups, scale, request.correction or "none")
    designed = {head: replace(own[here[head]], head=head) for head in reached.problem.heads}
    shown = {head: replace(each, offset=ended.reached.problem.offsets[head]) for head, each in designed.items()}
    ended = reported(ended, shown, estimates.by_head)
    predictors = tuple(estimates.predictor(each, reached.problem.model.links[h]) for h, each in designed.items())
    if request.likelihood_ratio:
        predictors = tuple(
            with_likelihood_ratios(each, designed[each.head].matrix, reached, ended.log_likelihood, settings)
            for each in predictors
        )
    fixed = _fixed(solution)
    ends = {each.head: signs(designed[each.head].matrix, each.unbounded) for each in predictors}
    found = _residuals(ended.reached, variance, recession.dimension, ends, settings.seed)
    return Regression(
        source=source,
        formula=formula.text,
        family=request.family,
        response=response,
        n=data.n,
        n_rows=len(data.y),
        n_missing=data.n_missing,
        predictors=predictors,
        reduced=reached.problem.model.spec,
        fixed=fixed,
        log_likelihood=_log_likelihood(ended, variance),
        null=partial(_null, problem, settings, variance is not None),
        n_parameters=problem.objective.width + (variance is not None),
        variance=variance,
        levels=model.levels if isinstance(model, Bernoulli | Categorical) else None,
        converged=ended.converged,
        status=ended.status_text,
        gradient_norm=float(ended.reached.gradient_norm[ended.reached.best]),
        restarts=_restarts(solution, own),
        verdicts=verdicts(
            solution,
            ended,
            predictors,
            found.moments if isinstance(found, Residuals) else None,
            replace(data, predictors=tuple(designed.values())),
            settings,
            errors,
            None if groups is None else int(groups.max()) + 1,
        ),
        covariance=estimates.covariance,
        spread=estimates.spread,
        errors=estimates.errors,
        residuals=found,
        level=settings.level,
        seed=settings.seed,
        offset=request.offset,
        exposure=request.exposure,
        weights=request.weights,
        cluster=request.cluster,
        small_sample=request.correction,
    )


def _check(data: Design, model: RowModel, response: str) -> None:
    if data.n <= 0.0:
        raise DataError("all weights are 0", "check the --weights column")
    if not isinstance(model, CountModel):
        numbers(data.frame, data.rows, response)
        return
    y, lowest = data.y, model.family.lowest
    wrong = (y < 0) | (y != np.floor(y))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise RowError(int(data.rows[row]), f"{y[row]:g} is no count", "counts are whole numbers >= 0", response)
    if y.min() < lowest:
        raise FamilyError(
            f"{model.spec} has no counts below {lowest}, but {response} has {int((y < lowest).sum()):,} of them",
            "a hurdle(...) has zeros too; or leave those rows out",
        )


def _residuals(
    solution: Solution, variance: float | None, infinite: int, ends: Mapping[str, Array], seed: int
) -> Residuals | NaturalResiduals:
    problem = solution.problem
    if isinstance(problem.model, CountModel):
        return Residuals.of(solution, infinite, ends, seed)
    model = problem.model if variance is None else Normal(variance)
    assert isinstance(model, NaturalFamily)
    eta = np.stack(list(natural_heads(solution).values()))
    return NaturalResiduals(model, eta, problem.y, problem.weights, seed)


def _variance(solution: Solution) -> float:
    """The residual variance of a normal response, RSS/(n - p), as in R's lm."""
    problem = solution.problem
    df = problem.n - problem.objective.width
    return _squares(solution) / df if df > 0 else float("nan")


def _squares(solution: Solution) -> float:
    """The residual sum of squares."""
    problem = solution.problem
    (fitted,) = natural_heads(solution).values()
    return float(problem.weights @ (problem.y - fitted) ** 2)


def _log_likelihood(solution: Solution, variance: float | None) -> float:
    """Of a normal response with its variance at the maximum, RSS/n."""
    if variance is None:
        return solution.log_likelihood
    n, squares = solution.problem.n, _squares(solution)
    return -0.5 * n * (math.log(2.0 * math.pi * squares / n) + 1.0) if squares > 0.0 else math.inf


def _carried(solution: Solution) -> dict[str, str]:
    """The heads of the model that was reached -> those of the model that was asked for."""
    here = {head: head for head in solution.problem.heads}
    at = solution
    while at.limit is not None:
        limit, at = at.limit
        back = {other: name for name, other in limit.carried.items()}
        here = {head: here[back[head]] for head in at.problem.heads}
    return here


def _fixed(solution: Solution) -> dict[str, float]:
    """The parameters that run to an end of their range, by their names in the model that was asked for."""
    found: dict[str, float] = {}
    names, at = {head: head for head in solution.problem.heads}, solution
    while at.limit is not None:
        limit, at = at.limit
        found |= {names[name]: value for name, value in limit.fixed.items() if name in names}
        back = {other: name for name, other in limit.carried.items()}
        names = {head: names[back[head]] for head in at.problem.heads}
    return found


def _groups(frame: pd.DataFrame, rows: Ints, name: str) -> Ints:
    import pandas as pd

    codes, _ = pd.factorize(frame[name].iloc[rows])
    groups = np.asarray(codes, dtype=np.int64)
    if groups.max() < 1:
        raise DataError(f'all rows have the same "{name}"', "clustered standard errors need at least two clusters")
    return groups


def _null(problem: Problem, settings: FitSettings, normal: bool) -> float:
    """The log-likelihood without covariates: a constant for every parameter, beside the offsets."""
    if all(offset is None for offset in problem.offsets.values()):
        # Equal responses are then equal rows.
        y, places = np.unique(problem.y, return_inverse=True)
        problem = replace(problem, y=y, weights=np.bincount(places, problem.weights).astype(np.float64))
        problem = replace(problem, offsets=dict.fromkeys(problem.heads))
    one = Standard.of(np.ones((len(problem.y), 1)), problem.weights)
    solution = solve(replace(problem, standards=dict.fromkeys(problem.heads, one)), replace(settings, restarts=1))
    if normal:
        return _log_likelihood(solution, 1.0)
    return defined(solution.reached.problem, natural_heads(solution.reached))


def _restarts(solution: Solution, predictors: Mapping[str, Predictor]) -> tuple[Restart, ...]:
    """All starts, coefficients named ``head: term``."""
    problem = solution.problem
    nll = solution.value * problem.n
    number = basins(nll, np.array(-solution.log_likelihood))
    return tuple(
        Restart(
            restart=i + 1,
            origin=solution.origins[i],
            start=_named(problem, predictors, solution.start[i]),
            estimate=_named(problem, predictors, solution.theta[i]),
            nll=float(nll[i]),
            gradient_norm=float(solution.gradient_norm[i]),
            steps=int(solution.steps[i]),
            status=STATUS[int(solution.status[i])],
            basin=int(number[i]),
        )
        for i in range(len(nll))
    )


def _named(problem: Problem, predictors: Mapping[str, Predictor], theta: Array) -> dict[str, float]:
    found: dict[str, float] = {}
    for head in problem.heads:
        beta = problem.standards[head].back @ theta[problem.slices[head]]
        found |= {f"{head}: {name}": float(b) for name, b in zip(predictors[head].terms.names, beta, strict=True)}
    return found
