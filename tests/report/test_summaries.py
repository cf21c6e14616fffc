"""``summary()`` is a string wherever it is asked for: nothing of it goes to the output of a notebook."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import rich.console

from distfit_counts import fit, regress

COUNTS = np.random.default_rng(0).poisson(2.0, 60)


def _regression() -> str:
    return regress(pd.DataFrame({"y": COUNTS, "x": np.arange(60.0)}), "y ~ x").summary()


@pytest.mark.parametrize("ask", [lambda: fit(COUNTS, "poisson", restarts=1).summary(), _regression])
@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1", "TTY_INTERACTIVE": "1", "JUPYTER_COLUMNS": "40"}])
def test_in_a_notebook_a_summary_is_returned_and_not_shown(
    ask: Callable[[], str],
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    outside = ask()
    monkeypatch.setattr(rich.console, "_is_jupyter", lambda: True)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ask() == outside
    assert len(outside.splitlines()) > 20
    assert "\x1b" not in outside
    assert capsys.readouterr() == ("", "")
