"""The solution's coefficients on the covariates' own scale, with errors, intervals and tests of every term."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Role
from distfit_counts.inference.hypotheses.tails import chi_square_tail, normal_tail
from distfit_counts.optimise.ending import Ints
from distfit_counts.regression.covariance import Information, sandwich
from distfit_counts.regression.design import Predictor
from distfit_counts.regression.link import LOG, LOGIT, SOFTMAX, Link
from distfit_counts.regression.natural import Categorical
from distfit_counts.regression.recession import Recession
from distfit_counts.regression.result import Coefficient, FittedPredictor, TermTests
from distfit_counts.regression.solve import Solution
from distfit_counts.regression.standard import Standard
from distfit_counts.result import HypothesisTest

NAN, INFINITY = float("nan"), float("inf")
_INFINITE = "a coefficient is infinite: only the likelihood ratio (--likelihood-ratios) tests its term"
# Share of the most that a flat direction could move a coefficient, from which on it is flat itself.
_SHARE = 1e-3
# A robust variance below this share of the model's is 0 but for the rounding of residuals that vanish.
_NO_VARIANCE = 1e-8
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Estimates:
    """``recession``: that of the model reached; ``scale`` multiplies its covariance (the variance of a gaussian);
    ``correction``: of robust ``errors`` (``covariance.small_sample``).
    """

    recession: Recession
    level: float
    errors: str = "model"
    groups: Ints | None = None
    scale: float = 1.0
    correction: str = "none"

    @property
    def solution(self) -> Solution:
        """In the limit."""
        return self.recession.solution

    @cached_property
    def information(self) -> Information:
        return Information.of(self.recession)

    @cached_property
    def _standard(self) -> Array:
        """Covariance on the standard scale."""
        if self.errors == "model":
            return self.scale * self.information.inverse
        return sandwich(self.solution, self.information, self.correction, self.groups)

    @cached_property
    def back(self) -> Array:
        """[P_raw, P] from the standard scale to the covariates' own, all predictors."""
        problem = self.solution.problem
        blocks = [problem.standards[head].back for head in problem.heads]
        result: Array = np.asarray(torch.block_diag(*map(torch.from_numpy, blocks)).numpy())
        return result

    @cached_property
    def coefficients(self) -> Array:
        """[P_raw] in the order of the heads; 0 for columns that are left out."""
        result: Array = self.back @ self.solution.theta[self.solution.best]
        return result

    @property
    def by_head(self) -> dict[str, Array]:
        """The coefficients of every head."""
        return {head: self.coefficients[self._place(head)] for head in self.solution.problem.heads}

    @cached_property
    def flat(self) -> Bools:
        """Which coefficients [P_raw] have no number, or none with an error, those left out not among them."""
        flat = [self.recession.unbounded, self.recession.unidentified, self.information.flat]
        return _moved(self.back, np.concatenate(flat, axis=1))

    @cached_property
    def spread(self) -> Array:
        """The covariance [P_raw, P_raw] over the directions that the data determine."""
        result: Array = self.back @ self._standard @ self.back.T
        return result

    @cached_property
    def _of_model(self) -> Array:
        """The covariance [P_raw, P_raw] if the model is true: the yardstick of what is 0 in a robust one."""
        if self.errors == "model":
            return self.spread
        result: Array = self.scale * self.back @ self.information.inverse @ self.back.T
        return result

    @cached_property
    def errorless(self) -> Bools:
        """Which coefficients [P_raw] have an estimate but no standard error: it would be 0, or infinite."""
        with np.errstate(invalid="ignore"):
            some = np.diag(self.spread) > _NO_VARIANCE * np.diag(self._of_model)
        return ~some & ~self.flat & ~self._aliased

    @cached_property
    def covariance(self) -> Array:
        """[P_raw, P_raw]; NaN for coefficients that have none."""
        found = self.spread.copy()
        none = self.flat | self._aliased | self.errorless
        found[none] = NAN
        found[:, none] = NAN
        return found

    @cached_property
    def _aliased(self) -> Bools:
        standards = [self.solution.problem.standards[head] for head in self.solution.problem.heads]
        return np.concatenate([_left_out(standard) for standard in standards])

    def predictor(self, own: Predictor, link: Link) -> FittedPredictor:
        """Everything about one parameter."""
        place = self._place(own.head)
        beta, covariance = self.coefficients[place], self.covariance[place, place]
        half = normal_point(0.5 + 0.5 * self.level)
        where = self.solution.problem.slices[own.head]
        back = self.solution.problem.standards[own.head].back
        unbounded, unidentified = self.recession.unbounded[where], self.recession.unidentified[where]
        if not isinstance(self.solution.problem.model, Categorical):
            # Directions of other parameters; those of levels go together.
            unbounded, unidentified = (own[:, np.abs(own).max(axis=0) > 0.0] for own in (unbounded, unidentified))
        notes = self._notes(place, back, unbounded, unidentified)
        listed = tuple(
            _coefficient(name, float(beta[j]), float(np.sqrt(covariance[j, j])), half, notes[j])
            for j, name in enumerate(own.terms.names)
        )
        tests = tuple(
            TermTests(term, self._wald(f"{own.head}: {term}", [place.start + j for j in columns]))
            for term, columns in own.terms.by_term.items()
            if term != "1" and columns
        )
        alone = own.terms.names == ("Intercept",) and own.offset is None
        natural = self._weight(own.head) if alone and link is SOFTMAX else _natural(link, listed[0]) if alone else None
        role = self.solution.problem.model.roles[own.head]
        ratio = "odds ratio" if link.name == "logit" else link.ratio
        # Only means are rates: a size under the log link has a ratio too.
        ratio = "ratio" if link is LOG and role is not Role.LOCATION else ratio
        return FittedPredictor(
            own.head,
            role,
            link.name,
            ratio,
            own.terms,
            listed,
            tests,
            beta,
            back @ unbounded,
            back @ unidentified,
            natural,
        )

    def _wald(self, title: str, columns: list[int]) -> HypothesisTest:
        if self.flat[columns].any():
            # The rest of the term would be another hypothesis, on fewer degrees of freedom.
            return HypothesisTest("wald", title, NAN, NAN, NAN, _INFINITE)
        if self._aliased[columns].all():
            return HypothesisTest("wald", title, NAN, NAN, NAN, "the coefficients have no standard errors")
        kept = np.array(columns)[~self._aliased[columns]]
        place = np.ix_(kept, kept)
        return wald(title, self.coefficients[kept], self.spread[place], self._of_model[place])

    def _weight(self, head: str) -> tuple[float, float, float, float] | None:
        """A mixture's weight where all of them are constant: the softmax of their intercepts, the last being 0.

        Its error by the delta method; the ends of its interval on the scale of its logit.
        """
        heads = [other for other, role in self.solution.problem.model.roles.items() if role is Role.WEIGHT]
        places = [self._place(other) for other in heads]
        if any(place.stop - place.start != 1 for place in places):
            return None
        eta = np.append(self.coefficients[[place.start for place in places]], 0.0)
        share = np.exp(eta - eta.max()) / np.exp(eta - eta.max()).sum()
        own = heads.index(head)
        slope = share[own] * (np.arange(len(heads)) == own) - share[own] * share[:-1]
        index = [place.start for place in places]
        error = float(np.sqrt(slope @ self.covariance[np.ix_(index, index)] @ slope))
        value = float(share[own])
        half = normal_point(0.5 + 0.5 * self.level) * error / (value * (1.0 - value))
        lower, upper = LOGIT.show(LOGIT.of(np.array([value, value])) + np.array([-half, half]))
        return value, error, float(lower), float(upper)

    def _notes(self, place: slice, back: Array, unbounded: Array, unidentified: Array) -> list[str]:
        """Of the coefficients at ``place`` [p]."""
        notes = np.where(self.errorless[place] | _moved(back, self.information.flat[self._own(place)]), "no error", "")
        notes = notes.astype(object)
        for j in np.flatnonzero(_moved(back, unbounded)):
            # Both ends where the directions disagree: the likelihood does not say which.
            reach = back[j] @ unbounded
            reach = reach[np.abs(reach) > _SHARE * np.abs(reach).max()]
            notes[j] = "upper" if (reach > 0.0).all() else "lower" if (reach < 0.0).all() else "not identified"
        notes[_moved(back, unidentified)] = "not identified"
        notes[self._aliased[place]] = "aliased"
        return [str(note) for note in notes]

    def _own(self, place: slice) -> slice:
        """Where on the standard scale the coefficients at ``place`` are."""
        heads = self.solution.problem.heads
        return next(self.solution.problem.slices[head] for head in heads if self._place(head) == place)

    def _place(self, head: str) -> slice:
        begin = 0
        for other in self.solution.problem.heads:
            width = self.solution.problem.standards[other].back.shape[0]
            if other == head:
                return slice(begin, begin + width)
            begin += width
        raise KeyError(head)


def wald(title: str, beta: Array, covariance: Array, of_model: Array) -> HypothesisTest:
    """Wald's chi-square that all of ``beta`` [q] are 0: beta' V^- beta on as many degrees of freedom as V has ranks.

    A robust covariance V has fewer than q where there are fewer clusters, or where their scores vanish. A direction
    counts where its variance is one beside that ``of_model``, which has full rank; V^- is Moore's and Penrose's.
    """
    unit = np.sqrt(np.diag(of_model))
    if not (np.isfinite(covariance).all() and (unit > 0.0).all()):
        return HypothesisTest("wald", title, NAN, NAN, NAN, "the coefficients have no standard errors")
    values, vectors = np.linalg.eigh(of_model / np.outer(unit, unit))
    root = vectors / np.sqrt(np.maximum(values, 1e-14 * values[-1])) / unit[:, None]
    shares, directions = np.linalg.eigh(root.T @ covariance @ root)
    seen = shares > _NO_VARIANCE
    df, q = int(seen.sum()), len(beta)
    if not df:
        return HypothesisTest("wald", title, NAN, NAN, NAN, "the covariance of the coefficients is 0: no test")
    null = "chi-square"
    if df < q:
        # Outside of what V spans the inverse is a choice: Moore's and Penrose's, as elsewhere.
        shares, directions = np.linalg.eigh(covariance)
        seen, root = np.arange(q) >= q - df, np.eye(q)
        null = f"chi-square; the covariance of the {q} coefficients has rank {df}"
    statistic = float((((beta @ root) @ directions[:, seen]) ** 2 / shares[seen]).sum())
    return HypothesisTest("wald", title, statistic, df, float(chi_square_tail(statistic, df)), null)


def normal_point(p: float) -> float:
    """Phi^-1(p)."""
    return float(torch.special.ndtri(torch.tensor(p, dtype=torch.float64)))


def _moved(back: Array, directions: Array) -> Bools:
    """Which coefficients [p] any of ``directions`` [q, m] on the standard scale moves; ``back`` [p, q] from there."""
    # On its own scale: centring moves the intercept along with whatever runs away, and back again.
    moved = np.abs(back @ directions)
    at_most = np.abs(back) @ np.abs(directions)
    return np.asarray(
        ((moved > _SHARE * at_most) & (at_most > _SHARE * np.abs(back).max(axis=1, initial=0.0)[:, None])).any(axis=1)
    )


def _left_out(standard: Standard) -> Bools:
    flags = np.ones(standard.back.shape[0], dtype=bool)
    flags[list(standard.kept)] = False
    return flags


def _coefficient(name: str, estimate: float, error: float, half: float, note: str) -> Coefficient:
    """``half``: how many standard errors an interval reaches to either side."""
    if note in ("aliased", "not identified"):
        return Coefficient(name, NAN, NAN, NAN, NAN, NAN, NAN, note)
    if note in ("lower", "upper"):
        return Coefficient(name, -INFINITY if note == "lower" else INFINITY, NAN, NAN, NAN, NAN, NAN, note)
    if note:
        return Coefficient(name, estimate, NAN, NAN, NAN, NAN, NAN, note)
    z = estimate / error
    p = 2.0 * float(normal_tail(abs(z)))
    return Coefficient(name, estimate, error, z, p, estimate - half * error, estimate + half * error, note)


def _natural(link: Link, intercept: Coefficient) -> tuple[float, float, float, float]:
    """Of a predictor that is constant, the parameter itself; its error by the delta method, its ends transformed."""
    if np.isinf(intercept.estimate):
        return float(link.show(np.array(intercept.estimate))), NAN, NAN, NAN
    at = torch.tensor(intercept.estimate, dtype=torch.float64, requires_grad=True)
    value = torch.sigmoid(at) if link.name == "logit" else link.to(at)
    (slope,) = torch.autograd.grad(value, at)
    lower, upper = (float(link.show(np.array(end))) for end in (intercept.lower, intercept.upper))
    return float(value.detach()), float(slope) * intercept.std_error, lower, upper
