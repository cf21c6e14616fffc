"""HTML and SVG pictures in a browser: no script of the data runs, nothing is fetched, no error is said.

Every kind of picture, with names of files, columns, groups, levels and responses that try.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from distfit_counts.comparing import compare_columns
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.inference.likelihood.profile_curves import profile_curves
from distfit_counts.regression.network.fit_rows import train_frame
from distfit_counts.regression.network.model import NetworkModel
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.regress import Request, regress
from distfit_counts.report.plots import plot_check, plot_comparison, plot_fits
from distfit_counts.report.plots.kinds import data_chart, search_chart
from distfit_counts.report.plots.network import plot_network
from distfit_counts.report.plots.page import script_json
from distfit_counts.report.plots.profile import profile_chart
from distfit_counts.report.plots.regression import plot_regression
from distfit_counts.report.plots.render import render
from distfit_counts.result import Fit
from distfit_counts.settings import FitSettings
from tests.report.browser import CHROMIUM, Browser, running

# Nothing listens there; a request would be seen.
AWAY = "http://127.0.0.1:9"
HOSTILE = [
    f"</script><script>window.ran = 1; fetch('{AWAY}/a')</script>",
    f"<img src={AWAY}/b onerror='window.ran = 2'>",
    f'{AWAY}/c.png"}}]}}; window.ran = 3; //',
    "<!--<script>",
    "a\u2028window.ran = 4\u2029b]]>",
    "x\x1b[31m\tno\nline&amp;&lt;\x00",
    "image",
    "datum.url'];window.ran=5;['",
]
COUNTS = np.random.default_rng(3).negative_binomial(2, 0.4, 80)
SOURCE = f"/tmp/{HOSTILE[0]}"


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("DISTFIT_REQUIRE_BROWSER"):
            pytest.fail("there is no Chromium")
        pytest.skip("there is no Chromium")
    with running(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    made = pd.DataFrame({f"x{i}": rng.normal(size=len(COUNTS)) for i in range(2)})
    made["y"] = COUNTS
    made["level"] = [HOSTILE[i % 4] for i in range(len(COUNTS))]
    return made.rename(columns={"x0": HOSTILE[2], "x1": "image", "y": HOSTILE[1], "level": HOSTILE[0]})


@pytest.fixture(scope="module")
def groups() -> Sequence[Fit]:
    columns = [Column(SOURCE, HOSTILE[1], {HOSTILE[2]: name}, Histogram.of(COUNTS)) for name in HOSTILE]
    return list(fit_columns(columns, parse("poisson"), FitSettings(restarts=1)))


@pytest.fixture(scope="module")
def one() -> Fit:
    column = Column(SOURCE, HOSTILE[1], {HOSTILE[2]: HOSTILE[4]}, Histogram.of(COUNTS))
    return fit_columns([column], parse("2*poisson"), FitSettings(restarts=2, trace=True))[0]


SLOW = [
    *("fit", "fits", "check", "pmf", "rootogram", "qq", "pit", "trace", "restarts", "surface", "profile"),
    *("regress", "regress normal", "regress levels", "network", "network levels"),
]
KINDS = ["compare", *(pytest.param(kind, marks=pytest.mark.slow) for kind in SLOW)]


@pytest.fixture(scope="module")
def draw(one: Fit, groups: Sequence[Fit], frame: pd.DataFrame) -> Callable[[str, Path], None]:
    """Writes one kind of picture to a path."""
    count, number, level = (f"`{name}`" for name in (HOSTILE[1], HOSTILE[2], HOSTILE[0]))

    def regression(formula: str, family: str, path: Path) -> None:
        fit = regress(frame, Request(formula, family), FitSettings(restarts=1), SOURCE)
        plot_regression(fit, frame, path)

    def network(formula: str, family: str, path: Path) -> None:
        settings = NetworkSettings(hidden=(2,), epochs=1)
        fit = train_frame(frame, Request(formula, family), settings, None, lambda *_: None)
        plot_network(NetworkModel(fit, SOURCE, formula, None, None, None), frame, path)

    def compared(path: Path) -> None:
        column = Column(SOURCE, HOSTILE[1], {}, one.histogram)
        found = compare_columns([column], [parse("poisson"), parse("nb")], FitSettings(restarts=1))[0]
        plot_comparison([candidate.fit for candidate in found.candidates], path)

    kinds: dict[str, Callable[[Path], None]] = {
        "fit": lambda path: plot_fits([one], path),
        "fits": lambda path: plot_fits(groups, path),
        "compare": compared,
        "check": lambda path: plot_check(replace(one, column=HOSTILE[0]), HOSTILE[1], one.histogram, path),
        "profile": lambda path: render(profile_chart(groups[0], profile_curves(groups[0])), path),
        "regress": lambda path: regression(f"{count} ~ {number} + {level}", "poisson", path),
        "regress normal": lambda path: regression(f"{number} ~ image + {level}", "gaussian", path),
        "regress levels": lambda path: regression(f"{level} ~ {number}", "categorical", path),
        "network": lambda path: network(f"{count} ~ {number} + {level}", "poisson", path),
        "network levels": lambda path: network(f"{level} ~ {number}", "categorical", path),
    }

    def drawn(kind: str, path: Path) -> None:
        if kind in kinds:
            kinds[kind](path)
        elif kind in ("trace", "restarts", "surface"):
            render(search_chart(one, kind), path)
        else:
            render(data_chart(one, kind), path)

    return drawn


_SAVED = """(async () => {
    const links = [...document.querySelectorAll('.vega-actions a')];
    for (const link of links) link.dispatchEvent(new MouseEvent('mousedown'));
    while (links.some(link => link.href.endsWith('#'))) await new Promise(done => setTimeout(done, 20));
    return links.map(link => link.href);
})()"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_runs_and_fetches_nothing_but_its_picture(
    browser: Browser, kind: str, draw: Callable[[str, Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    draw(kind, path)
    browser.open(path)
    assert browser.requests() == []
    assert browser.complaints() == []
    assert browser.value("window.ran") is None
    assert browser.value("document.scripts.length") == 2
    assert browser.value("document.querySelectorAll('img, iframe, object, embed, foreignObject, image').length") == 0
    assert browser.value("document.querySelectorAll('svg.marks path').length") > 3
    # The menu's only entries save the picture, without a request.
    saved = browser.value(_SAVED)
    assert [link.partition(":")[0] for link in saved] == ["blob", "data"]
    assert browser.requests() + browser.complaints() == []
    assert "window.ran" in browser.value("document.querySelector('svg.marks').textContent")


@pytest.mark.parametrize("kind", KINDS)
def test_an_svg_holds_shapes_and_text_only(kind: str, draw: Callable[[str, Path], None], tmp_path: Path) -> None:
    path = tmp_path / "picture.svg"
    draw(kind, path)
    for element in ElementTree.parse(path).iter():
        name = element.tag.rpartition("}")[2]
        assert name in {"svg", "g", "path", "text", "tspan", "rect", "line", "defs", "clipPath"}
        assert not [key for key in element.attrib if key.startswith("on") or key.endswith("href")]


def test_nothing_in_the_json_of_a_script_ends_it() -> None:
    text = script_json({"a": HOSTILE})
    assert text.isascii()
    assert not set("<>&") & set(text)
