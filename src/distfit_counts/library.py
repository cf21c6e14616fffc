"""distfit as a library: the functions behind ``from distfit_counts import fit, sample, load``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, overload

import numpy as np
import numpy.typing as npt

from distfit_counts.comparison import Comparison
from distfit_counts.data.column import Column
from distfit_counts.errors import DistfitError, OptionError
from distfit_counts.printable import printable
from distfit_counts.regression.result import Regression
from distfit_counts.result import Fit

if TYPE_CHECKING:
    from distfit_counts.settings import FitSettings


class Options(TypedDict, total=False):
    """How to fit: the options of ``distfit fit``; defaults in ``settings.FitSettings``."""

    restarts: int
    seed: int
    optimizer: str
    max_steps: int | None
    tolerance: float
    learning_rate: float
    level: float
    trace: bool
    ci: str
    replicates: int
    bootstrap: str
    gof_replicates: int


def _settings(function: Callable[..., Any], options: Mapping[str, Any]) -> FitSettings:
    """The settings that ``options`` ask for. Raises OptionError for a name that ``function`` does not have."""
    from distfit_counts.settings import FitSettings

    for name in options:
        if name not in Options.__annotations__:
            own = [each.name for each in signature(function).parameters.values() if each.kind is each.KEYWORD_ONLY]
            known = [*own, *Options.__annotations__]
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise OptionError(f"{function.__name__} has no option {name!r}", f"{hint}options: {', '.join(known)}")
    return FitSettings(**options)


@overload
def fit(
    data: Any,
    family: str,
    *,
    column: str | int | None = None,
    by: None = None,
    weights: Any = None,
    components: int | None = None,
    **options: Unpack[Options],
) -> Fit: ...
@overload
def fit(
    data: Any,
    family: str,
    *,
    column: str | int | Sequence[str | int] | None = None,
    by: str | Sequence[str] | None = None,
    weights: Any = None,
    components: int | None = None,
    **options: Unpack[Options],
) -> Sequence[Fit]: ...
def fit(
    data: Any,
    family: str,
    *,
    column: str | int | Sequence[str | int] | None = None,
    by: str | Sequence[str] | None = None,
    weights: Any = None,
    components: int | None = None,
    **options: Unpack[Options],
) -> Fit | Sequence[Fit]:
    """Fit ``family`` ("zip", "2*poisson", ...) to a column of counts.

    ``data``: a column of counts (pandas, polars, pyarrow, NumPy, a sequence of numbers) or a frame of columns; how
    often each count occurs ({count: frequency}, a ``Counter``, ``Series.value_counts()``, a ``Histogram``); a path; a
    lazy frame (polars, DuckDB, Dask, PySpark), counted where it is; a matrix (scipy.sparse, AnnData), all of whose
    columns are fitted. ``weights``: the name of a column that says how often each row counts, or such a column.

    One ``column`` (or data with only one that can be meant) gives a ``Fit``; a sequence of columns, ``by`` or a matrix
    gives a sequence of them, fitted in one batch. The other options are those of ``distfit fit``.

    >>> fit({0: 109, 1: 65, 2: 22, 3: 3, 4: 1}, "poisson").parameters["rate"].estimate
    0.61

    Raises DistfitError (DataError, FamilyError) with the row and value that is wrong and what to do about it.
    """
    from distfit_counts.families.spec import parse
    from distfit_counts.fitting import fit_columns

    if not isinstance(family, str):
        raise DistfitError(f"the family is {type(family).__name__}, not text", 'data first: fit(counts, "zip")')
    chosen = parse(family, components)
    settings = _settings(fit, options)
    columns, many = _counted(data, column, by, weights)
    fits = fit_columns(columns, chosen, settings)
    return fits if many else fits[0]


@overload
def compare(
    data: Any,
    families: Sequence[str] | None = None,
    *,
    column: str | int | None = None,
    by: None = None,
    weights: Any = None,
    bootstrap_lrt: bool = False,
    **options: Unpack[Options],
) -> Comparison: ...
@overload
def compare(
    data: Any,
    families: Sequence[str] | None = None,
    *,
    column: str | int | Sequence[str | int] | None = None,
    by: str | Sequence[str] | None = None,
    weights: Any = None,
    bootstrap_lrt: bool = False,
    **options: Unpack[Options],
) -> Sequence[Comparison]: ...
def compare(
    data: Any,
    families: Sequence[str] | None = None,
    *,
    column: str | int | Sequence[str | int] | None = None,
    by: str | Sequence[str] | None = None,
    weights: Any = None,
    bootstrap_lrt: bool = False,
    **options: Unpack[Options],
) -> Comparison | Sequence[Comparison]:
    """Fit many families to a column of counts and rank them by BIC: ``distfit compare``.

    ``families``: specs; None for the default ones that the data can bear. ``data``, ``column``, ``by`` and the options
    as for ``fit``: a sequence of columns or ``by`` gives a sequence of comparisons.
    """
    from distfit_counts.comparing import compare_columns
    from distfit_counts.families.spec import parse

    if families is not None and (isinstance(families, str) or not families):
        raise DistfitError(f"families = {families!r} is no list of families", 'for example ["poisson", "nb"]')
    asked = None if families is None else [parse(spec) for spec in families]
    settings = _settings(compare, options)
    columns, many = _counted(data, column, by, weights)
    found = compare_columns(columns, asked, settings, bootstrap_lrt)
    return found if many else found[0]


def regress(
    data: Any,
    formula: str,
    family: str = "poisson",
    *,
    formulas: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    exposure: str | None = None,
    offset: str | None = None,
    weights: str | None = None,
    errors: str = "model",
    cluster: str | None = None,
    small_sample: str | None = None,
    likelihood_ratios: bool = False,
    **options: Unpack[Options],
) -> Regression:
    """Fit ``family`` with covariates: ``distfit regress``.

    ``data``: a frame of pandas, polars or pyarrow, a lazy frame, or a path. ``formulas``: ``{"size": "~ x"}``,
    ``links``: ``{"mean": "softplus"}``, of single parameters. The others are the options of ``distfit regress``.
    """
    from distfit_counts.data.row_frames import columns_of, rows_of
    from distfit_counts.regression.regress import Request
    from distfit_counts.regression.regress import regress as fitted
    from distfit_counts.regression.responses import default_restarts

    starts: Options = {"restarts": default_restarts(family)}
    settings = _settings(regress, starts | options)
    request = Request(
        formula,
        family,
        formulas or {},
        links or {},
        offset,
        exposure,
        weights,
        errors,
        cluster,
        likelihood_ratios,
        small_sample,
    ).with_columns(columns_of(data))
    return fitted(rows_of(data, request.kinds()), request, settings)


def sample(family: str, parameters: Mapping[str, float], n: int, seed: int | None = None) -> npt.NDArray[np.int64]:
    """``n`` draws (int64) from ``family`` with ``parameters`` {name: value}; see also ``Fit.sample``."""
    from distfit_counts.families.spec import parse

    chosen = parse(family)
    chosen.check(parameters)
    if n < 0:
        raise DistfitError(f"n = {n} is out of range", "a number of draws is 0 or more")
    return chosen.sample(dict(parameters), n, np.random.default_rng(seed))


def load(path: str | Path) -> Fit:
    """The fit that ``distfit fit --save`` or ``Fit.save`` wrote. ``load_all`` reads a model of several fits."""
    fits = load_all(path)
    if len(fits) != 1:
        raise DistfitError(f"{path} holds {len(fits)} fits, not one", "read them with load_all")
    return fits[0]


def load_all(path: str | Path) -> list[Fit]:
    """All fits of a saved model."""
    from distfit_counts.model_file import load as load_fits

    return load_fits(path)


def _counted(
    data: Any, column: str | int | Sequence[str | int] | None, by: str | Sequence[str] | None, weights: Any
) -> tuple[Sequence[Column], bool]:
    """The columns that are meant, and whether a sequence of results was asked for. One result is never that of many; of
    many, those without a value are left out, with a warning.
    """
    from distfit_counts.data.matrix.in_memory import is_matrix
    from distfit_counts.data.memory import read_memory
    from distfit_counts.data.valueless import with_values

    columns = read_memory(data, _listed(data, column), _listed(data, by), weights)
    several = is_matrix(data) if column is None else not _is_name(data, column)
    many = by is not None or several
    if not many and len(columns) != 1:
        raise DistfitError(f"{len(columns)} columns match {column!r}", f"name one column, or give column=[{column!r}]")
    return (with_values(columns, lambda text: warnings.warn(printable(text), stacklevel=3)) if many else columns), many


def _listed(data: Any, names: Any) -> list[str]:
    if names is None:
        return []
    return [str(name) for name in ([names] if _is_name(data, names) else names)]


def _is_name(data: Any, name: Any) -> bool:
    """Whether ``name`` is that of one column: pandas has names that are numbers or tuples."""
    if isinstance(name, tuple):
        return hasattr(data, "columns") and name in list(data.columns)
    return isinstance(name, str) or not isinstance(name, Sequence)
