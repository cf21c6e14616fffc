"""How many regressions of several components end below the maximum that an independent search finds.

The search has nothing of distfit but the data: EM with iteratively reweighted least squares in NumPy, from random
memberships, then BFGS of SciPy on the likelihood itself from the best ends.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.optimize
from scipy.special import digamma, gammaln

from benchmarks.measure import Figure
from distfit_counts.regression.regress import Request, regress
from distfit_counts.settings import FitSettings

Array = npt.NDArray[np.float64]

# What each family mixes: "zero", "poisson" or "nb".
MIXED = {
    "2*poisson": ("poisson", "poisson"),
    "3*poisson": ("poisson", "poisson", "poisson"),
    "2*nb": ("nb", "nb"),
    "zip": ("zero", "poisson"),
    "zinb": ("zero", "nb"),
}
# Log-likelihood units below the search's best from which on a maximum is lost.
LOST = 1e-4
_SHORT, _FINISHED = 50, 20


def run(samples: int = 100) -> Iterator[Figure]:
    """Of so many made-up regressions for each family."""
    for family in MIXED:
        below = [loss for seed in range(samples) if (loss := lost(family, seed)) > LOST]
        worst = f"; worst {max(below):.3g}" if below else ""
        detail = f"200 starts of EM and BFGS each{worst}"
        yield Figure(f"{family} regressions below an independent search", "0", f"{len(below)} of {samples}", detail)


def lost(family: str, seed: int, restarts: int = 10) -> float:
    """By how much distfit ends below the search; zero-inflated families have the same terms in both parts."""
    frame, terms, offset = made(seed)
    zero = "zero" in MIXED[family]
    formula = f"y ~ {' + '.join(terms)}"
    found = regress(frame, Request(formula, family, offset=offset), FitSettings(restarts=restarts))
    matrix = design(frame, terms)
    added = np.zeros(len(frame)) if offset is None else frame[offset].to_numpy(dtype=float)
    gates = matrix if zero else np.ones((len(frame), 1))
    search = Search(frame["y"].to_numpy(dtype=float), matrix, MIXED[family], gates, added)
    return search.best(200, np.random.default_rng(seed)) - found.log_likelihood


def made(seed: int) -> tuple[pd.DataFrame, list[str], str | None]:
    """Rows with a response "y", the names of its covariates, and that of an offset.

    Covariates are normal, far-tailed, 0 and 1, rare, levels or counts; the response is of one to three components,
    overdispersed, zero-inflated or with outliers.
    """
    rng = np.random.default_rng([16, seed])
    n = int(np.exp(rng.uniform(np.log(22.0), np.log(500.0))))
    kinds = {
        "normal": lambda: rng.normal(size=n),
        "lognormal": lambda: np.exp(1.8 * rng.normal(size=n)),
        "t": lambda: rng.standard_t(2, size=n),
        "binary": lambda: rng.integers(0, 2, n).astype(float),
        "rare": lambda: (rng.random(n) < 0.08).astype(float),
        "level": lambda: rng.choice(list("abcd")[: rng.integers(2, 5)], n),
        "count": lambda: rng.poisson(3, n).astype(float),
    }
    terms = [f"x{j}" for j in range(rng.integers(1, 4))]
    frame = pd.DataFrame({term: kinds[str(rng.choice(list(kinds)))]() for term in terms})
    x = design(frame, terms)
    offset = rng.normal(size=n) if rng.random() < 0.25 else np.zeros(n)

    def mean(spread: float) -> Array:
        eta = x @ np.concatenate([rng.normal(1.0, 1.0, 1), spread * rng.normal(size=x.shape[1] - 1)]) + offset
        return np.exp(np.clip(eta, -20.0, 9.0))

    kind, size = rng.choice(["mixed", "one", "nb", "zeros", "outliers"], p=[0.5, 0.05, 0.15, 0.2, 0.1]), 1.0
    if kind == "mixed":
        k = int(rng.integers(2, 4))
        own = rng.choice(k, n, p=rng.dirichlet(np.full(k, 2.0)))
        y = rng.poisson(np.choose(own, [mean(rng.uniform(0.1, 1.0)) for _ in range(k)]))
    else:
        size = np.exp(rng.normal())
        many = rng.gamma(size, 1.0 / size, n) if kind == "nb" or rng.random() < 0.3 else np.ones(n)
        y = rng.poisson(mean(0.5) * many)
    if kind == "zeros":
        y = y * (rng.random(n) < 1.0 / (1.0 + np.exp(-x @ rng.normal(size=x.shape[1]))))
    if kind == "outliers":
        far = rng.choice(n, max(1, n // 40), replace=False)
        y[far] = rng.poisson(np.exp(rng.uniform(2.0, 7.0, len(far))))
    y[0] = max(int(y[0]), int(not y.any()))
    frame["y"] = np.minimum(y, 20_000)
    if not offset.any():
        return frame, terms, None
    return frame.assign(off=offset), terms, "off"


def design(frame: pd.DataFrame, terms: Sequence[str]) -> Array:
    """An intercept, standardised numbers, and indicators of all levels but the first."""
    columns = [np.ones(len(frame))]
    for term in terms:
        values = frame[term]
        if values.dtype.kind == "f":
            centred = values.to_numpy() - values.mean()
            if centred.any():
                columns.append(centred / centred.std())
        else:
            columns += [(values == level).to_numpy(dtype=float) for level in sorted(values.unique())[1:]]
    return np.column_stack(columns)


@dataclass
class Search:
    """Mixtures of regressions of ``y`` [N] on ``x`` [N, p] with an ``offset``; the logits of the components against
    the last are linear in ``z`` [N, q].
    """

    y: Array
    x: Array
    components: tuple[str, ...]
    z: Array
    offset: Array

    def __post_init__(self) -> None:
        self.log_factorial = gammaln(self.y + 1.0)
        q, p = self.z.shape[1], self.x.shape[1]
        self.gates = slice(0, (len(self.components) - 1) * q)
        self.slopes: list[slice | None] = []
        self.sizes: list[int | None] = []
        end = self.gates.stop
        for component in self.components:
            self.slopes.append(None if component == "zero" else slice(end, end + p))
            end += 0 if component == "zero" else p
            self.sizes.append(end if component == "nb" else None)
            end += component == "nb"
        self.width = end

    def best(self, starts: int, rng: np.random.Generator) -> float:
        """The largest log-likelihood that is found."""
        with np.errstate(all="ignore"):
            members = self._memberships(starts, rng)
            theta = self._regressed(np.zeros((starts, self.width)), members, first=True)
            for _ in range(_SHORT):
                members, value, _ = self._expected(theta)
                theta = self._regressed(theta[np.isfinite(value)], members[np.isfinite(value)])
                theta = theta[np.isfinite(theta).all(axis=1)]
            value = self._expected(theta)[1]
            chosen: list[int] = []
            for i in np.argsort(-np.nan_to_num(value, nan=-np.inf)):
                if all(abs(value[i] - value[j]) > 1e-3 for j in chosen):
                    chosen.append(int(i))
            options = {"maxiter": 400, "gtol": 1e-6}
            ends = [
                -scipy.optimize.minimize(self._objective, theta[i], jac=True, method="BFGS", options=options).fun
                for i in chosen[:_FINISHED]
            ]
        return float(max(ends, default=-np.inf))

    def _expected(self, theta: Array) -> tuple[Array, Array, Array]:
        """Memberships [S, K, N], log-likelihoods [S] and prior probabilities [S, K, N]."""
        joint = np.empty((len(theta), len(self.components), len(self.y)))
        for j in range(len(self.components)):
            joint[:, j] = self._log_prob(theta, j)
        logits = np.zeros_like(joint)
        logits[:, :-1] = theta[:, self.gates].reshape(len(theta), -1, self.z.shape[1]) @ self.z.T
        logits -= logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        joint += logits
        largest = joint.max(axis=1, keepdims=True)
        total = largest + np.log(np.exp(joint - largest).sum(axis=1, keepdims=True))
        return np.exp(joint - total), total[:, 0].sum(axis=1), np.exp(logits)

    def _log_prob(self, theta: Array, j: int) -> Array:
        slopes, size = self.slopes[j], self.sizes[j]
        if slopes is None:
            return np.broadcast_to(np.where(self.y == 0.0, 0.0, -np.inf), (len(theta), len(self.y)))
        eta = np.clip(theta[:, slopes] @ self.x.T + self.offset, -700.0, 600.0)
        if size is None:
            return np.asarray(self.y * eta - np.exp(eta) - self.log_factorial)
        log_size = np.clip(theta[:, size, None], -30.0, 18.0)
        r = np.exp(log_size)
        tail = self.y * (eta - np.logaddexp(eta, log_size)) - r * np.logaddexp(0.0, eta - log_size)
        return np.asarray(gammaln(self.y + r) - gammaln(r) - self.log_factorial + tail)

    def _regressed(self, theta: Array, members: Array, first: bool = False) -> Array:
        """A step of iteratively reweighted least squares for each component and the gates; several at ``first``."""
        theta = theta.copy()
        self._regress_gates(theta, members, 6 if first else 2)
        for j in range(len(self.components)):
            if self.slopes[j] is not None:
                self._regress_component(theta, members[:, j], j, first)
        return theta

    def _regress_gates(self, theta: Array, members: Array, steps: int) -> None:
        q = self.z.shape[1]
        if q == 1:
            held = np.maximum(members.sum(axis=2), 1e-10)
            theta[:, self.gates] = np.log(held[:, :-1] / held[:, -1:])
            return
        for _ in range(steps):
            prior = self._expected(theta)[2]
            for j in range(len(self.components) - 1):
                curve = prior[:, j] * (1.0 - prior[:, j]) + 1e-8
                step = self._solved(curve, members[:, j] - prior[:, j], self.z)
                bound = np.minimum(1.0, 4.0 / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-9))
                theta[:, j * q : (j + 1) * q] += bound * step

    def _regress_component(self, theta: Array, weight: Array, j: int, first: bool) -> None:
        slopes, size = self.slopes[j], self.sizes[j]
        assert slopes is not None
        if first:
            mean = ((weight * self.y).sum(axis=1) + 0.1) / ((weight * np.exp(self.offset)).sum(axis=1) + 0.1)
            theta[:, slopes.start] = np.log(mean)
            if size is not None:
                theta[:, size] = np.log(2.0)
        for _ in range(8 if first else 1):
            mean = np.exp(np.clip(theta[:, slopes] @ self.x.T + self.offset, -500.0, 500.0))
            share, extra = np.ones_like(mean), np.ones_like(mean)
            if size is not None:
                r = np.exp(np.clip(theta[:, size, None], -30.0, 18.0))
                share = r / (r + mean)
                extra = share * (self.y + r) / r
            step = self._solved(weight * share * extra * mean, weight * share * (self.y - mean), self.x)
            reach = np.quantile(np.abs(step @ self.x.T), 0.75, axis=1)[:, None]
            self._climb(theta, slopes, step * np.minimum(1.0, 8.0 / np.maximum(reach, 1e-9)), weight, j)
        if size is not None:
            for _ in range(3 if first else 1):
                self._regress_size(theta, weight, size, slopes)

    def _climb(self, theta: Array, slopes: slice, step: Array, weight: Array, j: int) -> None:
        """The longest of a few steps that does not lower the component's likelihood."""
        begun = theta[:, slopes].copy()
        before = (weight * self._log_prob(theta, j)).sum(axis=1)
        left = np.ones(len(theta), dtype=bool)
        for length in (1.0, 0.25, 0.06, 0.015, 0.002):
            theta[left, slopes] = begun[left] + length * step[left]
            left &= ~((weight * self._log_prob(theta, j)).sum(axis=1) >= before - 1e-9)
        theta[left, slopes] = begun[left]

    def _regress_size(self, theta: Array, weight: Array, size: int, slopes: slice) -> None:
        mean = np.exp(np.clip(theta[:, slopes] @ self.x.T + self.offset, -200.0, 200.0))

        def slope(log_size: Array) -> Array:
            r = np.exp(log_size)
            own = digamma(self.y + r) - digamma(r) + np.log(r / (r + mean)) + 1.0 - (self.y + r) / (r + mean)
            return np.asarray((weight * r * own).sum(axis=1))

        log_size = theta[:, size, None]
        here, there = slope(log_size), slope(log_size + 1e-4)
        curve = (there - here) / 1e-4
        step = np.where(curve < 0.0, -here / np.minimum(curve, -1e-9), np.sign(here))
        theta[:, size] = np.clip(theta[:, size] + np.clip(step, -1.0, 1.0), -12.0, 15.0)

    @staticmethod
    def _solved(curve: Array, slope: Array, matrix: Array) -> Array:
        hessian = np.einsum("sn,na,nb->sab", curve, matrix, matrix, optimize=True)
        unit = np.sqrt(np.einsum("saa->sa", hessian)) + 1e-150
        scaled = np.nan_to_num(hessian / (unit[:, :, None] * unit[:, None, :]), nan=0.0, posinf=0.0)
        scaled = scaled + 1e-10 * np.eye(matrix.shape[1])
        right = np.nan_to_num((slope @ matrix) / unit)
        return np.asarray(np.nan_to_num(np.linalg.solve(scaled, right[..., None])[..., 0] / unit))

    def _objective(self, theta: Array) -> tuple[float, Array]:
        members, value, prior = self._expected(theta[None])
        slope = np.zeros_like(theta)
        slope[self.gates] = ((members[0] - prior[0])[:-1] @ self.z).ravel()
        for j, (where, size) in enumerate(zip(self.slopes, self.sizes, strict=True)):
            if where is None:
                continue
            eta = np.clip(self.x @ theta[where] + self.offset, -700.0, 600.0)
            mean, weight = np.exp(np.minimum(eta, 300.0)), members[0, j]
            if size is None:
                slope[where] = (weight * (self.y - mean)) @ self.x
                continue
            log_size = np.clip(theta[size], -30.0, 18.0)
            r = np.exp(log_size)
            slope[where] = (weight * (self.y - mean) * r / (r + mean)) @ self.x
            own = digamma(self.y + r) - digamma(r) - np.logaddexp(0.0, eta - log_size)
            slope[size] = (weight * r * (own + 1.0 - (self.y + r) / (r + mean))).sum()
        return -float(value[0]), -slope

    def _memberships(self, count: int, rng: np.random.Generator) -> Array:
        """[count, K, N]: by chance, along the response and the covariates, across them, or of a few rows only."""
        k, n = len(self.components), len(self.y)
        log = np.log1p(self.y) - self.offset
        found = np.full((count, k, n), 1e-3)

        def cut(score: Array) -> Any:
            return np.searchsorted(np.quantile(score, np.sort(rng.uniform(0.05, 0.95, k - 1))), score)

        for i in range(count):
            rows, turned = np.arange(n), self.x @ rng.normal(size=self.x.shape[1])
            if i % 4 == 0:
                own = rng.choice(k, n, p=rng.dirichlet(np.full(k, 3.0)))
            elif i % 4 == 1:
                noise = 0.5 * rng.logistic(size=n)
                own = cut(3.0 * rng.normal() * log / (log.std() + 1e-9) + turned + noise)
            elif i % 4 == 2:
                own = cut(log - turned * rng.exponential())
            else:
                own = rng.choice(k, n, p=rng.dirichlet(np.ones(k)))
                rows = rng.choice(n, min(n, k * (self.x.shape[1] + 3)), replace=False)
            found[i, own[rows], rows] = 1.0
        for j, component in enumerate(self.components):
            if component == "zero":
                found[:, j, self.y > 0.0] = 0.0
        return found / found.sum(axis=1, keepdims=True)


if __name__ == "__main__":
    # python -m benchmarks.regression_maxima FAMILY FIRST LAST: one line for each that is lost.
    name, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    losses = {seed: loss for seed in range(first, last) if (loss := lost(name, seed)) > LOST}
    print(f"{name}: {len(losses)} of {last - first} lost: { ({s: round(v, 4) for s, v in losses.items()}) }")
