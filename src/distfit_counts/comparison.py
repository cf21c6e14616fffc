"""What a comparison of families found: plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from distfit_counts.data.histogram import Histogram
from distfit_counts.result import Fit, HypothesisTest, Verdict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Ranked:
    """One family, in numbers. ``delta``: BIC minus the best BIC; ``weight``: its Akaike weight; ``icl``: NaN but for
    families that are compared for their number of components.

    ``chi_square``: Pearson's X², with its p-value, ``simulated`` or not. ``equivalent``: the family of ``Fit.reduced``;
    ``codes``: of the fit's verdicts.
    """

    family: str
    n_parameters: int
    log_likelihood: float
    aic: float
    aicc: float
    bic: float
    delta: float
    weight: float
    icl: float
    chi_square: float
    chi_square_df: float
    chi_square_p: float
    simulated: bool
    prob_zero: float
    converged: bool
    status: str
    equivalent: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Candidate(Ranked):
    """One family with its ``fit``. ``vuong``: the best against this one, None unless strictly non-nested."""

    fit: Fit
    vuong: HypothesisTest | None


@dataclass(frozen=True)
class Ceiling:
    """The largest log-likelihood of any Poisson mixture: reached, up to ``gap`` log-likelihood units over all
    observations, by the mixing distribution with ``weights`` at ``rates``.
    """

    log_likelihood: float
    gap: float
    rates: tuple[float, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Components:
    """How many components of one family: K by BIC and by ICL, and the bootstrap likelihood-ratio tests made."""

    component: str
    candidates: Mapping[int, str]
    by_bic: int
    by_icl: int
    tests: tuple[HypothesisTest, ...]
    by_test: int | None


@dataclass(frozen=True)
class Ranking:
    """Families fitted to one column, sorted by BIC, the best first.

    ``saturated``: the log-likelihood of the observed frequencies themselves, which no model exceeds; ``ceiling``: that
    of the best Poisson mixture, None where the data are too wide to search. ``skipped``: families not fitted, and why.
    """

    source: str
    column: str
    group: Mapping[str, Any]
    histogram: Histogram = field(repr=False)
    candidates: tuple[Ranked, ...]
    saturated: float
    ceiling: Ceiling | None
    components: tuple[Components, ...]
    skipped: Mapping[str, str]
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class Comparison(Ranking):
    """The same with the fits themselves."""

    candidates: tuple[Candidate, ...]

    @property
    def best(self) -> Fit:
        """The fit with the lowest BIC; of ties, the one with the fewest parameters."""
        return self.candidates[0].fit

    def to_frame(self) -> pd.DataFrame:
        """One row per family, the best first, as pandas."""
        import pandas as pd

        rows = [
            {
                "family": c.family,
                "log_likelihood": c.log_likelihood,
                "n_parameters": c.n_parameters,
                "aic": c.aic,
                "aicc": c.aicc,
                "bic": c.bic,
                "delta": c.delta,
                "weight": c.weight,
                "icl": c.icl,
                "chi_square_p": c.chi_square_p,
                "prob_zero": c.prob_zero,
            }
            for c in self.candidates
        ]
        return pd.DataFrame(rows).set_index("family")
