"""What a fit found: plain frozen data, and the questions one can ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.data.column import Rows
from distfit_counts.data.histogram import Histogram
from distfit_counts.errors import DataError
from distfit_counts.families.family import Family
from distfit_counts.families.spec import parse
from distfit_counts.inference.goodness.frequencies import Frequency
from distfit_counts.inference.selection.criteria import aic, aicc, bic
from distfit_counts.records import Natural, NotNegative, OneOf, Range, Share

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from distfit_counts.distributions import CountDistribution
    from distfit_counts.inference.fitted.table import Table
    from distfit_counts.inference.new_data.check import Check

# Of a parameter's range.
End = Annotated[str, OneOf(("lower", "upper"))]
# Twice as much, as in AIC, is a number too.
LogLikelihood = Annotated[float, Range(-1e300, 1e300, null=False)]
# Of an interval.
Level = Annotated[float, Range(0.0, 1.0, null=False)]
Correlation = Annotated[float, Range(-1.0 - 1e-6, 1.0 + 1e-6)]


@dataclass(frozen=True)
class Estimate:
    """One parameter. ``estimate`` NaN: no value is defined; the others NaN: no such number exists.

    ``boundary``: "lower" or "upper" where the maximum lies at an end of the parameter's range.
    """

    estimate: float
    std_error: NotNegative
    lower: float
    upper: float
    boundary: End | None = None


@dataclass(frozen=True)
class TracePoint:
    """One step of one restart; ``nll`` over all observations."""

    step: Natural
    nll: float
    gradient_norm: NotNegative
    estimate: Mapping[str, float]


# The status of a start of a comparison that was not followed to its end: after its steps it was in one bowl with a
# better one, which went there for both.
JOINED = "joined"


@dataclass(frozen=True)
class Restart:
    """One start and where it ended. ``origin``: moments, random, best of so many runs, or the simpler family whose
    solution it began at.

    ``nll`` is the negative log-likelihood of all observations; ``basin`` numbers the optima, 1 the best.
    """

    restart: Natural
    origin: str
    start: Mapping[str, float]
    estimate: Mapping[str, float]
    nll: float
    gradient_norm: NotNegative
    steps: Natural
    status: str
    basin: Natural
    trace: tuple[TracePoint, ...] = ()

    @property
    def asked(self) -> bool:
        """Whether it is one of those that were asked for, and not one that a family adds by itself."""
        return self.origin in ("moments", "random") or self.origin.startswith("best of ")


@dataclass(frozen=True)
class Verdict:
    """A sentence about the fit, with a stable code; ``reassuring`` where nothing need be done."""

    code: str
    message: str
    reassuring: bool = False


@dataclass(frozen=True)
class HypothesisTest:
    """One test of the model. ``df`` NaN: its null has none; ``p_value`` NaN: none holds, and ``null`` says why.

    ``code`` is stable (``chi_square``, ``lr.poisson``); ``title`` names the test for people; ``null`` says in words
    from which null distribution the p-value comes.
    """

    code: str
    title: str
    statistic: float
    df: NotNegative
    p_value: Share
    null: str


@dataclass(frozen=True)
class Goodness:
    """Goodness of fit: ``bins``, neighbouring counts pooled until each expects 5, and the tests.

    ``expected_largest``: how many counts as large as the largest, or larger, the model expects.
    """

    bins: tuple[Frequency, ...]
    tests: tuple[HypothesisTest, ...]
    expected_largest: NotNegative


@dataclass(frozen=True)
class Reduced:
    """The model that the fit is, with all boundaries resolved: NB with size -> infinity is a Poisson."""

    family: str
    parameters: Mapping[str, float]


@dataclass(frozen=True)
class Fit:
    """One family fitted to one column (of one group).

    ``log_likelihood`` keeps all constants; at a boundary it is the supremum. ``ci`` says how the intervals were made,
    ``correlation`` is that of the estimates of ``reduced``, ``tests`` compare with simpler families. ``rows`` finds the
    counts in the order of the data, where these were rows in memory.
    """

    source: str
    column: str
    group: Mapping[str, Any]
    family: str
    histogram: Histogram = field(repr=False)
    parameters: Mapping[str, Estimate]
    derived: Mapping[str, float]
    log_likelihood: LogLikelihood
    n_parameters: Natural
    converged: bool
    status: str
    gradient_norm: NotNegative
    restarts: tuple[Restart, ...] = field(repr=False)
    verdicts: tuple[Verdict, ...]
    reduced: Reduced
    correlation: Mapping[str, Mapping[str, Correlation]] = field(repr=False)
    goodness: Goodness = field(repr=False)
    tests: tuple[HypothesisTest, ...] = field(repr=False)
    level: Level
    ci: Annotated[str, OneOf(("wald", "profile", "bootstrap"))]
    optimizer: Annotated[str, OneOf(("newton", "adam"))]
    seed: Natural
    device: str = "cpu"
    rows: Rows | None = field(default=None, repr=False, compare=False)

    @property
    def n(self) -> int:
        return self.histogram.n

    @property
    def aic(self) -> float:
        return float(aic(self.log_likelihood, self.n_parameters))

    @property
    def aicc(self) -> float:
        return float(aicc(self.log_likelihood, self.n_parameters, self.n))

    @property
    def bic(self) -> float:
        return float(bic(self.log_likelihood, self.n_parameters, self.n))

    @property
    def nll_per_observation(self) -> float:
        return -self.log_likelihood / self.n + 0.0  # never -0.0

    @property
    def model(self) -> tuple[Family, dict[str, float]]:
        """Family and natural values of the fitted distribution, boundaries resolved."""
        return parse(self.reduced.family), dict(self.reduced.parameters)

    @property
    def mean(self) -> float:
        """Mean of the fitted distribution."""
        family, values = self.model
        return float(family.mean(values))

    @property
    def variance(self) -> float:
        """Variance of the fitted distribution."""
        family, values = self.model
        return float(family.variance(values))

    @property
    def prob_zero(self) -> float:
        """P(Y = 0) of the fitted distribution."""
        family, values = self.model
        return float(np.exp(family.log_prob_zero(values)))

    def pmf(self, k: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """P(Y = k) of the fitted distribution for every k; 0 where k is no count."""
        from distfit_counts.inference.fitted.reached import log_pmf

        family, values = self.model
        asked = np.asarray(k, dtype=np.float64)
        is_count = (asked >= 0) & (asked == np.floor(asked))
        found = np.exp(log_pmf(family, values, np.where(is_count, asked, 0.0)))
        result: npt.NDArray[np.float64] = np.where(is_count, found, 0.0)
        return result

    def cdf(self, k: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """P(Y <= k) of the fitted distribution for every whole number k; 0 below zero."""
        from distfit_counts.inference.fitted.cumulative import cumulative
        from distfit_counts.inference.fitted.pmf import Pmf

        return cumulative(Pmf.of(*self.model), np.asarray(k, dtype=np.float64))

    def check(self, data: Any, column: str | int | None = None, weights: Any = None) -> Check:
        """This fit on new data, without refitting; ``data`` as for ``fit``."""
        from distfit_counts.data.memory import read_memory
        from distfit_counts.inference.new_data.check import check

        found = read_memory(data, [] if column is None else [str(column)], [], weights)
        if len(found) != 1:
            raise DataError(f"{len(found)} columns match {column!r}", "name one column")
        return check(self, found[0])

    def quantile_residuals(self, seed: int = 0) -> npt.NDArray[np.float64]:
        """Randomised quantile residuals (Dunn and Smyth 1996), standard normal if the model is true.

        For rows in memory one for each, in their order, NaN where the count is missing; otherwise (a file, a histogram,
        weights, a saved model) ordered by count, 10,000 at most.
        """
        from distfit_counts.inference.goodness.residuals import quantile_residuals, residuals_of

        if self.rows is None:
            return quantile_residuals(self.histogram, self._table().log_tails, seed)
        return residuals_of(self.rows(), self._table().log_tails, seed)

    def pit(self, bins: int = 10) -> npt.NDArray[np.float64]:
        """Heights of the non-randomised PIT histogram (Czado et al. 2009), all 1/``bins`` if the model is true."""
        from distfit_counts.inference.goodness.residuals import pit_histogram

        return pit_histogram(self.histogram, self._table().cdf, bins)

    def _table(self) -> Table:
        from distfit_counts.inference.fitted.pmf import Pmf
        from distfit_counts.inference.fitted.tabulate import tabulate

        return tabulate(Pmf.of(*self.model), self.histogram.values)

    def frequencies(self) -> list[Frequency]:
        """Observed against expected counts, binned to be read."""
        from distfit_counts.inference.fitted.pmf import Pmf
        from distfit_counts.inference.goodness.frequencies import frequencies

        return frequencies(self.histogram, Pmf.of(*self.model))

    def sample(self, n: int, seed: int | None = None) -> npt.NDArray[np.int64]:
        """``n`` draws (int64) from the fitted distribution."""
        family, values = self.model
        return family.sample(values, n, np.random.default_rng(seed))

    def distribution(self) -> CountDistribution:
        """The fitted distribution as a ``torch.distributions.Distribution`` in float64."""
        import torch

        from distfit_counts.distributions import CountDistribution

        family, values = self.model
        tensors: dict[str, torch.Tensor] = {
            name: torch.as_tensor(value, dtype=torch.float64) for name, value in values.items()
        }
        return CountDistribution(family, tensors)

    def to_frame(self) -> pd.DataFrame:
        """The parameters as a pandas table: estimate, std_error, lower, upper, boundary."""
        import pandas as pd

        rows = {name: [e.estimate, e.std_error, e.lower, e.upper, e.boundary] for name, e in self.parameters.items()}
        columns = ["estimate", "std_error", "lower", "upper", "boundary"]
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        return frame.rename_axis("parameter")

    def save(self, path: str | Path) -> None:
        """Write the model as versioned JSON, for ``load`` and ``distfit show``."""
        from distfit_counts.model_file import save

        save(path, [self])

    def summary(self) -> str:
        """What ``distfit fit`` prints, as plain text."""
        from distfit_counts.report.terminal import to_text

        return to_text(self)
