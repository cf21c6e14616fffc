"""One way to fit counts in a test, and where numbers from outside are found."""

from __future__ import annotations

import os

# Several workers share the cores; torch's own threads would only get in their way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Commands are tested as people have them: where Python writes at once, none forgets what it has not written yet.
os.environ.pop("PYTHONUNBUFFERED", None)

import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from distfit_counts.result import Fit

# Who starts the tests in the background, as a script's "&" does, ignores Ctrl-C for them; those of Ctrl-C press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A failure found once is found by everybody: the same examples on every machine.
settings.register_profile("distfit", deadline=None, derandomize=True)
settings.load_profile("distfit")


@pytest.fixture(scope="session")
def fit() -> Callable[..., Fit]:
    """``fit(values, spec, weights=None, **settings)``: the fit of one column, from three starts unless told."""
    from distfit_counts.data.column import Column
    from distfit_counts.data.histogram import Histogram
    from distfit_counts.families.spec import parse
    from distfit_counts.fitting import fit_columns
    from distfit_counts.settings import FitSettings

    def one(values: Any, spec: str, weights: Any = None, **options: Any) -> Fit:
        column = Column("test", "y", {}, Histogram.of(values, weights))
        return fit_columns([column], parse(spec), FitSettings(**({"restarts": 3} | options)))[0]

    return one


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_reference(repository: Path) -> Path:
    """The whole collection of reference answers, which lies beside the checkout where there is one."""
    folder = repository.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip(f"no reference collection at {folder}")
    return folder
