"""Regressions against the tools that people use for them: R's MASS and pscl, and statsmodels."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import ROOT, Figure, ratio, seconds
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
asked <- file('stdin', 'r')
while (length(readLines(asked, 1))) { run(); cat('done\\n'); flush(stdout()) }
"""
_ROWS, _COVARIATES = 1_000_000, 20
_PAIRS = 3


def run() -> Iterator[Figure]:
    yield from _six_models()
    yield _large()


def _six_models() -> Iterator[Figure]:
    frame = pd.read_csv(ROOT / "sample_data" / "nmes1988.csv")

    def ours(restarts: int) -> Callable[[], object]:
        return lambda: [regress(frame, f"visits ~ {_TERMS}", family, restarts=restarts) for family in _FAMILIES]

    what = "six NMES1988 models (poisson, nb, zip, zinb and both hurdles), "
    once, ten = ours(1), ours(10)
    more, ten_seconds, _ = ratio(ten, once, _PAIRS)
    restarts = f"ten restarts take {ten_seconds:.2f} s, {more:.1f} times as long"
    with _in_r() as theirs:
        if theirs is None:
            yield Figure(what + "R's glm, glm.nb, zeroinfl, hurdle / regress", ">= 5", "not installed", restarts)
        else:
            yield _compared(what + "R's glm, glm.nb, zeroinfl, hurdle / regress", theirs, once, restarts)
    if importlib.util.find_spec("statsmodels") is not None:
        detail = "one start and those of simpler families"
        yield _compared(what + "statsmodels / regress", lambda: _statsmodels(frame), once, detail)


def _compared(what: str, theirs: Callable[[], object], ours: Callable[[], object], detail: str) -> Figure:
    """Both sides in turn."""
    times, slow, fast = ratio(theirs, ours, _PAIRS)
    return Figure(what, ">= 5", f"{times:.1f}", f"{slow:.2f} s / {fast:.2f} s; {detail}")


@contextmanager
def _in_r() -> Iterator[Callable[[], object] | None]:
    """A round of all models in an R that is already running; None where it or pscl is not installed."""
    if shutil.which("Rscript") is None:
        yield None
        return
    command = ["Rscript", "-e", _R]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        asked, said = process.stdin, process.stdout
        assert asked is not None
        assert said is not None

        def run() -> str:
            asked.write("run\n")
            asked.flush()
            return said.readline()

        yield run if run() else None
        asked.close()


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

    def ours() -> object:
        return regress(frame, "y ~ " + " + ".join(names), "nb")

    if importlib.util.find_spec("statsmodels") is None:
        return Figure(what, ">= 5", "not installed", f"{seconds(ours):.1f} s")
    import statsmodels.api as sm

    def theirs() -> None:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            sm.NegativeBinomial(frame["y"], sm.add_constant(frame[names])).fit(disp=0)

    return _compared(what, theirs, ours, "in process")
