"""Many columns: whole processes against loops of the tools that fit one column at a time."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.made import COLUMNS, ROWS, folder, wide_column, wide_parquet
from benchmarks.measure import Figure, distfit, seconds

# Loops are timed over so many columns, and extrapolated.
LOOPED = 100
COMPARED = 2_000

_MASS = (
    "suppressPackageStartupMessages(library(MASS)); for (y in ys) try(suppressWarnings(glm.nb(y ~ 1)), silent = TRUE)"
)
_FITDIST = (
    'suppressPackageStartupMessages(library(fitdistrplus)); for (y in ys) try(fitdist(y, "nbinom"), silent = TRUE)'
)
_GLMGAMPOI = "fit <- glmGamPoi::glm_gp(do.call(rbind, ys), design = ~ 1, size_factors = FALSE, on_disk = FALSE)"


def run() -> Iterator[Figure]:
    yield from _negative_binomial()
    yield from _compare()
    yield _restarts()


def _negative_binomial() -> Iterator[Figure]:
    path, output = wide_parquet(), folder() / "wide.parquet"
    command = ("fit", str(path), "-c", "y", "--by", "gene", "-f", "nb", "--restarts", "1", "-q", "-o", str(output))
    ours = _middle(distfit(*command), 3)
    what = f"NB, {COLUMNS:,} columns x {ROWS:,} rows from a long Parquet, "
    for name, asked, loop in (
        ("a loop of statsmodels' NegativeBinomial", ">= 30", _statsmodels({"nb"})),
        ("a loop of R's MASS::glm.nb", ">= 100", _r("MASS", _MASS, LOOPED)),
        ("a loop of R's fitdistrplus::fitdist", ">= 100", _r("fitdistrplus", _FITDIST, LOOPED)),
        ("glmGamPoi::glm_gp", ">= 20", _r("glmGamPoi", _GLMGAMPOI, 10 * LOOPED)),
    ):
        yield _against(what + f"{name} / distfit fit", asked, loop, ours, COLUMNS)


def _compare() -> Iterator[Figure]:
    path, output = wide_parquet(COMPARED), folder() / "compared.csv"
    command = ("compare", str(path), "-c", "y", "--by", "gene", "-q", "--format", "csv", "-o", str(output))
    ours = _middle(distfit(*command, ok=(0, 1)), 1)
    loop = _statsmodels({"poisson", "nb", "zip", "zinb"})
    what = f"{COMPARED:,} of these columns: a loop of statsmodels over 4 families / distfit compare, 9 families"
    yield _against(what, ">= 20", loop, ours, COMPARED)


def _restarts() -> Figure:
    path = wide_parquet(family="zip")
    command = ("fit", str(path), "-c", "y", "--by", "gene", "-f", "zip", "-q", "-o", str(folder() / "zip.parquet"))
    once, ten = (_middle(distfit(*command, "--restarts", n), 1) for n in ("1", "10"))
    what = f"ZIP, {COLUMNS:,} columns: 10 restarts / 1 restart"
    return Figure(what, "< 12", f"{ten / once:.1f}", f"{ten:.1f} s / {once:.1f} s, whole processes")


def _against(what: str, asked: str, per_column: float | None, ours: float, columns: int) -> Figure:
    if per_column is None:
        return Figure(what, asked, "not installed", "")
    loop = per_column * columns
    detail = f"{loop:.0f} s (extrapolated) / {ours:.1f} s, whole process"
    return Figure(what, asked, f"{loop / ours:.0f}", detail)


def _middle(action: Callable[[], object], times: int) -> float:
    return float(np.median([seconds(action) for _ in range(times)]))


def _statsmodels(families: set[str]) -> float | None:
    """Seconds a column."""
    if importlib.util.find_spec("statsmodels") is None:
        return None
    import warnings

    import statsmodels.api as sm

    models = {
        "poisson": sm.Poisson,
        "nb": sm.NegativeBinomial,
        "zip": sm.ZeroInflatedPoisson,
        "zinb": sm.ZeroInflatedNegativeBinomialP,
    }
    one = np.ones((ROWS, 1))
    columns = [wide_column(i) for i in range(LOOPED)]
    begun = time.perf_counter()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for y in columns:
            for family in families:
                models[family](y, one).fit(disp=0)
    return (time.perf_counter() - begun) / LOOPED


def _r(package: str, code: str, columns: int) -> float | None:
    """Seconds a column, starting R and reading left out."""
    if shutil.which("Rscript") is None:
        return None
    path = folder() / f"columns_{columns}.csv"
    np.savetxt(path, np.stack([wide_column(i) for i in range(columns)]), fmt="%d", delimiter=",")
    script = (
        f"if (!requireNamespace('{package}', quietly = TRUE)) quit(status = 3)\n"
        f"m <- as.matrix(read.csv('{path}', header = FALSE)); ys <- lapply(seq_len(nrow(m)), function(i) m[i, ])\n"
        f"invisible(loadNamespace('{package}'))\n"
        f"begun <- proc.time()[['elapsed']]; {code}; cat(proc.time()[['elapsed']] - begun)"
    )
    done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=False)
    return float(done.stdout.split()[-1]) / columns if done.returncode == 0 else None
