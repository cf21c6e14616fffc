"""What a regression found: plain frozen data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Role
from distfit_counts.inference.selection.criteria import aic, bic
from distfit_counts.optimise.minimise import INCONSISTENT, STATUS
from distfit_counts.records import Natural, NotNegative, OneOf, Range, Share
from distfit_counts.regression.agreement import Agreement
from distfit_counts.regression.design import Terms
from distfit_counts.regression.natural_residuals import NaturalResiduals
from distfit_counts.regression.residuals import Residuals
from distfit_counts.result import HypothesisTest, Level, Restart, Verdict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Coefficient:
    """One coefficient, on the covariate's own scale.

    ``std_error`` NaN: there is none. ``note``: "" or why a number is missing: "aliased" (other columns make it up),
    "lower" or "upper" (``estimate`` is minus or plus infinity), "not identified" (the data say nothing of it),
    "no error" (the rows that a robust standard error rests on are fitted exactly, or are no more than parameters).
    """

    name: str
    estimate: float
    std_error: NotNegative
    z: float
    p_value: Share
    lower: float
    upper: float
    note: str = ""

    @property
    def ratio(self) -> tuple[float, float, float]:
        """exp of estimate, lower and upper: a rate ratio under the log link, an odds ratio under the logit."""
        return _exp(self.estimate), _exp(self.lower), _exp(self.upper)


@dataclass(frozen=True)
class TermTests:
    """Whether a term is needed at all: Wald's test, and the likelihood ratio against the fit without it, if asked."""

    term: str
    wald: HypothesisTest
    likelihood_ratio: HypothesisTest | None = None


@dataclass(frozen=True, eq=False)
class FittedPredictor:
    """One parameter's predictor. ``natural``: of one that is constant, the parameter itself: estimate, standard error,
    lower and upper end. ``ratio``: what exp(coefficient) is called, "" where it means nothing.

    ``beta`` [p]: the coefficients as they were reached, also where there is no estimate: 0 if left out, finite on the
    way to infinity. ``unbounded`` [p, m] and ``unidentified`` [p, k]: directions in which they run on without bound,
    and of which the data say nothing; a row x is moved by one where |x'd| is well above 0, at most 1 in the data.
    """

    head: str
    role: Role
    link: str
    ratio: str
    terms: Terms
    coefficients: tuple[Coefficient, ...]
    tests: tuple[TermTests, ...]
    beta: Array = field(repr=False)
    unbounded: Array = field(repr=False)
    unidentified: Array = field(repr=False)
    natural: tuple[float, float, float, float] | None = None

    def label(self, name: str) -> str:
        """What a coefficient or a term is called for people."""
        return self.terms.spec.labels[name]


@dataclass(frozen=True, eq=False)
class Regression:
    """One family with covariates. ``log_likelihood`` keeps all constants; at a boundary it is the supremum.

    ``reduced``: the family that the fit is with all boundaries resolved, and ``fixed`` the parameters that it has no
    predictor for (size = inf). ``covariance`` [P, P] of all coefficients in the order of ``predictors``, on the
    covariates' own scale; NaN where there is none. ``spread`` is the same without the NaNs, for rows whose predictor
    has an error though its coefficients have none. ``errors``: how it was estimated (model, hc0, hc1, cluster);
    ``small_sample``: the factor of a robust covariance (full, clusters, none), None where none is asked for.
    ``variance``: the residual variance of a normal response; ``levels``: those of a categorical one. ``residuals``:
    of the rows; a saved fit has none, and has ``kept`` what they add up to.
    """

    source: str
    formula: str
    family: str
    response: str
    n: float
    n_rows: Natural
    n_missing: Natural
    predictors: tuple[FittedPredictor, ...]
    reduced: str
    fixed: Mapping[str, float]
    log_likelihood: Annotated[float, Range(-1e300, 1e300)]
    null: Callable[[], float] = field(repr=False)
    n_parameters: Annotated[int, Range(0, 10**9)]
    converged: bool
    status: str
    gradient_norm: NotNegative
    restarts: tuple[Restart, ...] = field(repr=False)
    verdicts: tuple[Verdict, ...]
    covariance: Array = field(repr=False)
    spread: Array = field(repr=False)
    errors: Annotated[str, OneOf(("model", "hc0", "hc1", "cluster"))]
    residuals: Residuals | NaturalResiduals | None = field(repr=False)
    level: Level
    seed: Natural
    variance: NotNegative | None = None
    levels: tuple[str, ...] | None = None
    offset: str | None = None
    exposure: str | None = None
    weights: str | None = None
    cluster: str | None = None
    small_sample: Annotated[str, OneOf(("full", "clusters", "none"))] | None = None
    kept: Agreement | None = field(default=None, repr=False)

    @cached_property
    def null_log_likelihood(self) -> float:
        """That of the same family without covariates, beside the offsets: fitted when it is asked for."""
        return self.null()

    @property
    def agreement(self) -> Agreement | None:
        """With the responses; computed when it is asked for."""
        return self.kept if self.residuals is None else self.residuals.agreement

    @property
    def consistent(self) -> bool:
        """Whether the log-likelihood is that of the estimates, by the definition of the family."""
        return self.status != STATUS[INCONSISTENT]

    @property
    def aic(self) -> float:
        return float(aic(self.log_likelihood, self.n_parameters))

    @property
    def bic(self) -> float:
        return float(bic(self.log_likelihood, self.n_parameters, self.n))

    @property
    def coefficients(self) -> Mapping[str, Mapping[str, Coefficient]]:
        """By parameter and term."""
        return {own.head: {c.name: c for c in own.coefficients} for own in self.predictors}

    def predict(
        self, data: Any, pmf: Sequence[int] = (), quantiles: Sequence[float] = (), interval: bool = False
    ) -> pd.DataFrame:
        """What ``distfit predict`` writes, for a frame of pandas, polars or pyarrow, a lazy frame, or a path.

        A row for each of ``data``, in their order; of a pandas frame with its index.
        """
        import pandas as pd

        from distfit_counts.data.row_frames import rows_of
        from distfit_counts.regression.model import Model
        from distfit_counts.regression.predict import Wanted, predict

        model = Model.of(self)
        (found,) = predict(model, iter([rows_of(data, model.kinds())]), Wanted(pmf, quantiles, interval))
        return pd.DataFrame(found, index=data.index if isinstance(data, pd.DataFrame) else None)

    def to_frame(self) -> pd.DataFrame:
        """The coefficients as a pandas table, by parameter and term."""
        import pandas as pd

        columns = ["estimate", "std_error", "z", "p_value", "lower", "upper", "note"]
        rows = {
            (own.head, c.name): [getattr(c, x) for x in columns] for own in self.predictors for c in own.coefficients
        }
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        frame.index = pd.MultiIndex.from_tuples(rows, names=["parameter", "term"])
        return frame

    def save(self, path: str | Path) -> None:
        """Write the model as versioned JSON, for ``distfit predict``."""
        from distfit_counts.regression.model_file import save

        save(Path(path), self)

    def summary(self) -> str:
        """What ``distfit regress`` prints, as plain text."""
        from distfit_counts.report.regression import to_text

        return to_text(self)


def _exp(value: float) -> float:
    return math.exp(value) if value < 709.0 else math.inf
