"""Which count distribution is it, with which parameters, and how sure are we?

>>> from distfit_counts import fit
>>> fit([0, 0, 1, 3, 0, 2], "poisson").parameters["rate"].estimate
1.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distfit_counts.comparison import Comparison
    from distfit_counts.data.histogram import Histogram
    from distfit_counts.errors import DistfitError
    from distfit_counts.library import compare, fit, load, load_all, regress, sample
    from distfit_counts.regression.result import Regression
    from distfit_counts.result import Fit

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "DistfitError",
    "Fit",
    "Histogram",
    "Regression",
    "compare",
    "fit",
    "load",
    "load_all",
    "regress",
    "sample",
]

_HOMES = {
    "Comparison": "comparison",
    "DistfitError": "errors",
    "Fit": "result",
    "Histogram": "data.histogram",
    "Regression": "regression.result",
    "compare": "library",
    "fit": "library",
    "load": "library",
    "load_all": "library",
    "regress": "library",
    "sample": "library",
}


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    # Found when asked for: ``distfit --help`` imports this package and must not wait for NumPy.
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
