"""Pictures of regressions, linear and network: every panel says something, in the numbers of the fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from distfit_counts.regression.network.fit_rows import train_frame
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.regress import Request, regress
from distfit_counts.report.plots import network, regression
from distfit_counts.report.plots.render import specification
from distfit_counts.settings import FitSettings

N = 400
Draw = Callable[[str, str, bool], dict[str, Any]]


@pytest.fixture(scope="module")
def made() -> pd.DataFrame:
    rng = np.random.default_rng(9)
    x, z = rng.normal(size=(2, N))
    shares = np.exp(np.column_stack([np.zeros(N), x, -x]))
    level = (rng.random((N, 1)) > np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)).sum(axis=1)
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "ward": rng.integers(1, 4, N),
            "gaussian": np.sin(x) + rng.normal(0, 0.3, N),
            "bernoulli": np.where(rng.random(N) < 1 / (1 + np.exp(-2 * x)), "yes", "no"),
            "categorical": np.array(["blue", "green", "red"])[level],
            "poisson": rng.poisson(np.exp(x)),
        }
    )


@pytest.fixture
def draw(made: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> Draw:
    """The specification of the picture of ``family`` with ``terms``, of a network or not."""
    seen: list[Any] = []

    def picture(family: str, terms: str, hidden: bool) -> dict[str, Any]:
        for module in (network, regression):
            monkeypatch.setattr(module, "render", lambda chart, path: seen.append(chart))
        formula = f"{family} ~ {terms}"
        if hidden:
            fit = train_frame(made, Request(formula, family), NetworkSettings((4,), epochs=3))
            network.plot_network(NetworkModel(fit, "m.csv", formula, None, None, None), made, Path("p.svg"))
        else:
            linear = regress(made, Request(formula, family), FitSettings(restarts=1))
            regression.plot_regression(linear, made, Path("p.svg"))
        return specification(seen.pop())

    return picture


def values(node: Any) -> Iterator[list[dict[str, Any]]]:
    """Every data set."""
    if isinstance(node, dict) and "values" in node.get("data", {}):
        yield node["data"]["values"]
    if isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from values(child)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("terms", ["x", "x + z", "C(ward)"])
@pytest.mark.parametrize("family", ["gaussian", "bernoulli", "categorical", "poisson"])
def test_no_panel_is_empty(draw: Draw, family: str, terms: str, hidden: bool) -> None:
    """Fitted mean (of linear counts the rootogram), residuals, and of a network the training: none without data."""
    chart = draw(family, terms, hidden)
    assert len(chart["vconcat"]) == 2 + hidden + (hidden and family == "poisson")
    for panel in chart["vconcat"]:
        found = list(values(panel))
        assert found
        assert all(found), "a panel without data"
    titles = [panel.get("title", {}).get("text", "") for panel in chart["vconcat"]]
    assert sum("residuals" in title for title in titles) == 1


def test_shares_of_levels_are_those_of_tenths_by_the_covariate(draw: Draw, made: pd.DataFrame) -> None:
    (curves, seen) = (own for own in values(draw("categorical", "x", False)["vconcat"][0]) if len(own) in (1200, 30))
    order = np.argsort(made["x"].to_numpy())[:40]
    first = {row["series"]: row for row in reversed(seen) if row["x"] < made["x"].iloc[order].max()}
    for level, row in first.items():
        assert row["y"] == pytest.approx((made["categorical"].iloc[order] == level).mean())
        assert row["x"] == pytest.approx(made["x"].iloc[order].mean())
    at = [sum(row["y"] for row in curves[i::400]) for i in (0, 200, 399)]
    assert at == pytest.approx([1.0, 1.0, 1.0]), "probabilities of all levels add up"


def test_a_level_that_is_a_number_is_no_axis(draw: Draw) -> None:
    """C(ward) has nothing between ward 1 and ward 2: the rows go by tenths."""
    (panel, *_) = draw("gaussian", "C(ward)", True)["vconcat"]
    assert any("predicted" in row for rows in values(panel) for row in rows)


def test_normal_residuals_are_those_of_the_linear_model(draw: Draw, made: pd.DataFrame) -> None:
    """(y - fitted) / s with s² = RSS/(n - p), by numpy's least squares."""
    (_, panel) = draw("gaussian", "x + z", False)["vconcat"]
    design = np.column_stack([np.ones(N), made["x"], made["z"]])
    left = made["gaussian"] - design @ np.linalg.lstsq(design, made["gaussian"], rcond=None)[0]
    drawn = [row["residual"] for rows in values(panel) for row in rows if "residual" in row]
    extremes = np.array([left.min(), left.max()]) / np.sqrt((left**2).sum() / (N - 3))
    assert (min(drawn), max(drawn)) == pytest.approx(tuple(extremes))


@pytest.mark.parametrize("hidden", [False, True])
def test_levels_have_probabilities_and_all_of_them_are_drawn(draw: Draw, hidden: bool) -> None:
    chart = draw("categorical", "x + z", hidden)
    assert chart["title"]["text"] == ["categorical: the fitted probabilities"]
    drawn = {row["series"] for rows in values(chart["vconcat"][0]) for row in rows if "predicted" in row}
    assert drawn == {"blue", "green", "red"}


@pytest.mark.parametrize(("family", "randomised"), [("gaussian", False), ("bernoulli", True)])
def test_only_what_is_drawn_at_random_is_called_so(draw: Draw, family: str, randomised: bool) -> None:
    title = draw(family, "x", False)["vconcat"][-1]["title"]
    assert ("Randomised" in str(title)) is randomised
