"""``fit`` of a column under a name that the regressions' own helper does not take."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def fit_counts(fit: Any) -> Any:
    return fit
