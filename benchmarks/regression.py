"""Regressions against the tools that people use for them: R's MASS and pscl, and statsmodels."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import ROOT, Figure, seconds
from distfit_counts import regress

_FAMILIES = ("poisson", "nb", "zip", "zinb", "hurdle(poisson)", "hurdle(nb)")
_TERMS = "hospital + C(health, contr.treatment('average')) + chronic + gender + school + insurance"
_R = """
if (!requireNamespace('pscl', quietly = TRUE)) quit(status = 3)
suppressPackageStartupMessages({library(MASS); library(pscl)})
d <- read.csv('sample_data/nmes1988.csv', stringsAsFactors = TRUE)
d$health <- relevel(d$health, 'average')
f <- visits ~ hospital + health + chronic + gender + school + insurance
run <- function() {
  summary(glm(f, poisson, d)); summary(glm.nb(f, d)); summary(zeroinfl(f, d)); summary(zeroinfl(f, d, dist = 'negbin'))
  summary(hurdle(f, d)); summary(hurdle(f, d, dist = 'negbin'))
}
run(); times <- replicate(3, system.time(run())[['elapsed']]); cat(median(times))
"""
_ROWS, _COVARIATES = 1_000_000, 20


def run() -> Iterator[Figure]:
    yield from _six_models()
    yield _large()


def _six_models() -> Iterator[Figure]:
    frame = pd.read_csv(ROOT / "sample_data" / "nmes1988.csv")

    def ours(restarts: int) -> Callable[[], object]:
        return lambda: [regress(frame, f"visits ~ {_TERMS}", family, restarts=restarts) for family in _FAMILIES]

    what = "six NMES1988 models (poisson, nb, zip, zinb and both hurdles), "
    once, ten = (_middle(ours(restarts)) for restarts in (1, 10))
    detail = f"/ {once:.2f} s, one start and those of simpler families; ten more restarts {ten:.2f} s"
    theirs = _in_r()
    if theirs is not None:
        yield Figure(
            what + "R's glm, glm.nb, zeroinfl, hurdle / regress",
            ">= 5",
            f"{theirs / once:.1f}",
            f"{theirs:.2f} s {detail}",
        )
    else:
        yield Figure(what + "R's glm, glm.nb, zeroinfl, hurdle / regress", ">= 5", "not installed", "")
    if importlib.util.find_spec("statsmodels") is not None:
        slow = _middle(lambda: _statsmodels(frame))
        yield Figure(what + "statsmodels / regress", ">= 5", f"{slow / once:.1f}", f"{slow:.2f} s {detail}")


def _middle(action: Callable[[], object]) -> float:
    action()
    return float(np.median([seconds(action) for _ in range(3)]))


def _in_r() -> float | None:
    if shutil.which("Rscript") is None:
        return None
    done = subprocess.run(["Rscript", "-e", _R], cwd=ROOT, capture_output=True, text=True, check=False)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def _statsmodels(frame: pd.DataFrame) -> None:
    import statsmodels.api as sm
    from statsmodels.discrete.truncated_model import HurdleCountModel

    x = sm.add_constant(pd.get_dummies(frame.drop(columns="visits"), drop_first=True).astype(float))
    y = frame["visits"]
    quiet: dict[str, Any] = {"disp": 0, "maxiter": 500}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        sm.Poisson(y, x).fit(**quiet)
        sm.NegativeBinomial(y, x).fit(**quiet)
        sm.ZeroInflatedPoisson(y, x, exog_infl=x).fit(**quiet)
        sm.ZeroInflatedNegativeBinomialP(y, x, exog_infl=x).fit(**quiet)
        HurdleCountModel(y, x, dist="poisson", zerodist="poisson").fit(**quiet)
        HurdleCountModel(y, x, dist="negbin", zerodist="poisson").fit(**quiet)


def _large() -> Figure:
    what = f"NB, {_ROWS:,} rows x {_COVARIATES} covariates: statsmodels / regress"
    rng = np.random.default_rng(5)
    x = rng.standard_normal((_ROWS, _COVARIATES))
    mean = np.exp(0.5 + x @ rng.normal(0.0, 0.1, _COVARIATES))
    names = [f"x{i}" for i in range(_COVARIATES)]
    frame = pd.DataFrame(x, columns=names).assign(y=rng.poisson(mean * rng.gamma(2.0, 0.5, _ROWS)))
    ours = seconds(lambda: regress(frame, "y ~ " + " + ".join(names), "nb"))
    if importlib.util.find_spec("statsmodels") is None:
        return Figure(what, ">= 5", "not installed", f"{ours:.1f} s")
    import statsmodels.api as sm

    begun = time.perf_counter()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        sm.NegativeBinomial(frame["y"], sm.add_constant(frame[names])).fit(disp=0)
    theirs = time.perf_counter() - begun
    return Figure(what, ">= 5", f"{theirs / ours:.1f}", f"{theirs:.1f} s / {ours:.1f} s, in process")
