"""Pictures carry the fit's own numbers, and are written whole, offline, in four formats."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from distfit_counts.data.histogram import Histogram
from distfit_counts.errors import DistfitError, OutputError
from distfit_counts.families.spec import parse
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.report.plots import plot_check, plot_comparison, plot_fits
from distfit_counts.report.plots.bars import bars_of, count_title, joined, label
from distfit_counts.report.plots.kinds import data_chart, search_chart
from distfit_counts.report.plots.overlay import overlay_chart
from distfit_counts.report.plots.pages import check_page, fit_page
from distfit_counts.report.plots.pit import sentence as pit_sentence
from distfit_counts.report.plots.pmf import pmf_panels
from distfit_counts.report.plots.profile import interval, profile_chart
from distfit_counts.report.plots.quantiles import quantile_rows
from distfit_counts.report.plots.quantiles import sentence as qq_sentence
from distfit_counts.report.plots.render import check, render, specification
from distfit_counts.report.plots.words import agreement
from distfit_counts.result import Fit

KICKS = [0, 1, 2, 3, 4], [109, 65, 22, 3, 1]
ZEROS = [0] * 60 + [1] * 6 + [2] * 9 + [3] * 14 + [4] * 11 + [5] * 8 + [7] * 4 + [9] * 2
TWO = np.repeat([0, 1, 2, 3, 8, 9, 10, 11, 12], [20, 25, 12, 5, 6, 9, 9, 6, 4])


@pytest.fixture(scope="module")
def kicks(fit) -> Fit:
    return fit(KICKS[0], "poisson", KICKS[1], restarts=2)


@pytest.fixture(scope="module")
def zip_fit(fit) -> Fit:
    return fit(ZEROS, "zip", restarts=4, trace=True)


def data_of(chart: Any) -> list[list[dict[str, Any]]]:
    """Every data set of the specification."""
    return list(_values(specification(chart)))


def _values(node: Any) -> Iterator[list[dict[str, Any]]]:
    if isinstance(node, dict) and "values" in node.get("data", {}):
        yield node["data"]["values"]
    if isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _values(child)


def rows_with(chart: Any, *fields: str) -> list[dict[str, Any]]:
    """The only data set whose rows have these fields; it is in the specification once."""
    (found,) = (rows for rows in data_of(chart) if rows and set(fields) <= set(rows[0]))
    return found


def title_of(chart: Any) -> str:
    text = specification(chart)["title"]["text"]
    return text if isinstance(text, str) else " ".join(text)


def texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from texts(child)


def shares(rows: Sequence[dict[str, Any]], series: str) -> list[float]:
    return [row["share"] for row in rows if row["series"].startswith(series)]


def test_observed_and_fitted_shares_are_the_fits(kicks: Fit) -> None:
    """Bortkiewicz's horse kicks: 109 of 200 corps had no death, exp(-0.61) = 0.5434 is expected."""
    chart = data_chart(kicks, "pmf")
    observed = rows_with(chart, "observed")
    assert [row["observed"] for row in observed] == [109, 65, 22, 3, 1, 0]
    assert observed[0]["share"] == 0.545
    fitted = shares(rows_with(chart, "series", "share"), "fitted poisson")
    expected = stats.poisson.pmf(range(5), 0.61)
    np.testing.assert_allclose(fitted, [*expected, 1 - expected.sum()], rtol=1e-6)
    assert title_of(chart).startswith("poisson follows the counts; largest gap at 2: 22 observed, 20.2 expected")


def test_every_component_is_drawn_with_its_weight(fit) -> None:
    found = fit(TWO, "2*poisson", restarts=3)
    rows = rows_with(data_chart(found, "pmf"), "series", "share")
    parts = [name for name in dict.fromkeys(row["series"] for row in rows) if not name.startswith("fitted")]
    assert len(parts) == 2
    for i, name in enumerate(parts, start=1):
        weight, rate = (found.parameters[f"{p}[{i}]"].estimate for p in ("weight", "rate"))
        assert re.fullmatch(rf"{i}: [\d.]+ × poisson \(rate [\d.]+\)", name)
        drawn = {row["count"]: row["share"] for row in rows if row["series"] == name}
        assert drawn["9" if i == 2 else "1"] == pytest.approx(
            weight * stats.poisson.pmf(9 if i == 2 else 1, rate), rel=1e-6
        )


def test_structural_zeros_are_a_point_without_a_line(zip_fit: Fit) -> None:
    rows = rows_with(data_chart(zip_fit, "pmf"), "series", "share")
    (zero,) = (row for row in rows if "a point mass at 0" in row["series"])
    assert zero["count"] == "0"
    assert zero["share"] == pytest.approx(zip_fit.parameters["pi"].estimate)


@pytest.mark.parametrize("style", ["hanging", "standing", "suspended"])
def test_a_rootogram_is_on_the_scale_of_square_roots(kicks: Fit, style: str) -> None:
    """By hand, at 0 deaths: √109 = 10.4403, √(200 exp(-0.61)) = 10.4245; 95 % of Binomial(200, 0.5434) in 95..122."""
    row = rows_with(data_chart(kicks, "rootogram", style), "begin")[0]
    observed, curve, low, high = 10.44031, 10.42447, 95**0.5, 122**0.5
    ends = {"hanging": (curve, curve - observed), "standing": (0, observed), "suspended": (0, curve - observed)}[style]
    band = (low, high) if style == "standing" else (curve - high, curve - low)
    np.testing.assert_allclose([row["begin"], row["end"]], ends, atol=1e-4)
    np.testing.assert_allclose([row["low"], row["high"]], band, atol=1e-3)


def test_the_pit_picture_holds_the_pit(kicks: Fit) -> None:
    """P(Y = 0) = 0.54 covers five bins and a bit: each gets 0.1 * 0.545 / 0.5434 of the observations."""
    rows = rows_with(data_chart(kicks, "pit"), "low", "high")
    assert sum(row["share"] for row in rows) == pytest.approx(1.0)
    assert rows[0]["share"] == pytest.approx(0.1 * 0.545 / np.exp(-0.61), rel=1e-6)
    assert title_of(data_chart(kicks, "pit")).endswith("poisson is calibrated on the data it was fitted to")
    assert title_of(data_chart(kicks, "pit", told="poisson on new data")).endswith("poisson is calibrated")


@pytest.mark.parametrize(
    ("heights", "said"),
    [([0.3, *[0.05] * 8, 0.3], "U-shaped"), ([0.02, *[0.12] * 8, 0.02], "hump"), ([0.1] * 10, "calibrated")],
)
def test_the_shape_of_a_pit_is_named(heights: list[float], said: str) -> None:
    assert said in pit_sentence("nb", [{"share": h, "low": 0.09, "high": 0.11} for h in heights], 1000, False)


def test_quantile_points_keep_both_tails(kicks: Fit) -> None:
    rows = quantile_rows(np.linspace(-4, 4, 10_000))
    assert len(rows) <= 400
    assert [rows[0]["residual"], rows[-1]["residual"]] == [-4.0, 4.0]
    assert rows[0]["normal"] == pytest.approx(stats.norm.ppf(0.5 / 10_000))
    assert title_of(data_chart(kicks, "qq")).startswith("The residuals of poisson look normal")


def test_the_title_of_residuals_says_what_the_band_shows() -> None:
    """Normal scores lie on the line; one that is moved out of the band is told, as are all that are."""
    scores = stats.norm.ppf((np.arange(500) + 0.5) / 500)
    assert "look normal" in qq_sentence("nb", scores, quantile_rows(scores))
    moved = np.append(scores[:-3], [4.9, 5.0, 5.1])
    rows = quantile_rows(moved)
    outside = sum(not row["low"] <= row["residual"] <= row["high"] for row in rows)
    assert outside >= 1
    assert f"{outside} of {len(rows)} points leave the band" in qq_sentence("nb", moved, rows)
    assert "too far apart" in qq_sentence("nb", 1.5 * scores, quantile_rows(1.5 * scores))


def test_infinite_residuals_are_told_and_not_drawn() -> None:
    residuals = np.array([-np.inf, -1.0, 0.0, 1.0])
    rows = quantile_rows(residuals)
    assert [row["residual"] for row in rows] == [-1.0, 0.0, 1.0]
    assert qq_sentence("zt(nb)", residuals, rows).startswith("zt(nb) cannot produce 1 of 4 counts")


def test_a_trace_is_every_step_of_every_restart(zip_fit: Fit) -> None:
    panels = [rows for rows in data_of(search_chart(zip_fit, "trace")) if rows and "step" in rows[0]]
    assert len(panels) == 3  # NLL, pi, rate
    steps = sum(len(restart.trace) for restart in zip_fit.restarts)
    assert {len(rows) for rows in panels} == {steps}
    values = [[row["value"] for row in rows if row["restart"] == 1] for rows in panels]
    assert [point.estimate["rate"] for point in zip_fit.restarts[0].trace] in values


def test_restarts_show_where_each_began_and_ended(zip_fit: Fit) -> None:
    panels = [rows for rows in data_of(search_chart(zip_fit, "restarts")) if rows and "start" in rows[0]]
    pairs = [[(row["start"], row["end"]) for row in rows] for rows in panels]
    assert [(r.start["pi"], r.estimate["pi"]) for r in zip_fit.restarts] in pairs
    assert title_of(search_chart(zip_fit, "restarts")) == "All 4 restarts reach the same optimum"


def test_a_surface_is_highest_at_the_estimate(zip_fit: Fit) -> None:
    rows = rows_with(search_chart(zip_fit, "surface"), "level")
    pi, rate = (zip_fit.parameters[name].estimate for name in ("pi", "rate"))
    (here,) = (r for r in rows if r["x"] <= pi < r["x2"] and r["y"] <= rate < r["y2"])
    assert here["level"] == "0 to 1"
    assert all(0.0 <= row["x"] < row["x2"] <= 1.0 for row in rows), "pi stays a probability"
    marks = rows_with(search_chart(zip_fit, "surface"), "point")
    assert sum(row["point"] == "end" for row in marks) == len(zip_fit.restarts)


def test_a_surface_shows_the_region_and_not_the_starts(zip_fit: Fit) -> None:
    """Four standard errors to each side of the estimate fill most of the frame; what leaves it is cut at its edge."""
    chart = search_chart(zip_fit, "surface")
    rows = rows_with(chart, "level")
    for axis, name in (("x", "pi"), ("y", "rate")):
        e = zip_fit.parameters[name]
        low, high = min(row[axis] for row in rows), max(row[f"{axis}2"] for row in rows)
        assert 10.0 * e.std_error < high - low < 30.0 * e.std_error
        assert low < e.estimate - 3.0 * e.std_error
        assert high > e.estimate + 3.0 * e.std_error
        for path in rows_with(chart, "restart", f"{axis}2"):
            assert all(low - 1e-9 <= path[end] <= high + 1e-9 for end in (axis, f"{axis}2"))


def test_a_narrow_peak_between_far_starts_is_framed(fit) -> None:
    """Rates 1.3 and 1e6, starts anywhere between: the frame still shows the region of both."""
    rng = np.random.default_rng(0)
    found = fit(np.concatenate([rng.poisson(1.2, 80), rng.poisson(1e6, 20)]), "2*poisson", restarts=3, trace=True)
    rows = rows_with(search_chart(found, "surface"), "level")
    for axis, name in (("x", "rate[1]"), ("y", "rate[2]")):
        ends = min(row[axis] for row in rows), max(row[f"{axis}2"] for row in rows)
        assert 10.0 < (ends[1] - ends[0]) / found.parameters[name].std_error < 30.0


def test_a_parameter_at_infinity_is_told_so(fit) -> None:
    chart = search_chart(fit([3], "nb", restarts=2, trace=True), "surface")
    assert title_of(chart).endswith("highest at mean = 3.000, size = ∞")


def test_starts_that_end_elsewhere_are_told(zip_fit: Fit) -> None:
    """The key shows their optimum: the title must not say that all agree."""
    *own, last = zip_fit.restarts
    other = replace(last, origin="poisson", basin=2, nll=last.nll + 2.0)
    told = title_of(search_chart(replace(zip_fit, restarts=(*own, other)), "restarts"))
    assert "restarts reach the same optimum; 1 of " in told
    assert "beside simpler families ends 2.00 log" in told


@pytest.mark.parametrize("names", [("pi", "pi"), ("pi", "mean")])
def test_a_surface_needs_two_parameters_of_the_family(zip_fit: Fit, names: tuple[str, str]) -> None:
    with pytest.raises(DistfitError, match=r"cannot move apart|no parameter 'mean'"):
        search_chart(zip_fit, "surface", names)


def test_two_weights_of_two_cannot_move_apart(fit) -> None:
    found = fit(TWO, "2*poisson", restarts=2, trace=True)
    with pytest.raises(DistfitError, match="cannot move apart"):
        search_chart(found, "surface", ("weight[1]", "weight[2]"))


@pytest.mark.parametrize(
    ("spec", "axes"),
    [("2*poisson", {"rate[1]", "rate[2]"}), ("zi(2*poisson)", {"rate[1]", "rate[2]"}), ("nb", {"mean", "size"})],
)
def test_a_surface_shows_what_two_components_are(spec: str, axes: set[str], fit) -> None:
    """Two weights would say little of a mixture: unless told, its first two rates."""
    chart = search_chart(fit(TWO, spec, restarts=2, trace=True), "surface")
    told = {text.removesuffix(" (log scale)") for text in texts(specification(chart))}
    assert axes <= told
    assert "weight[1]" not in told


@pytest.mark.parametrize("kind", ["restarts", "trace"])
def test_restarts_that_agree_have_an_axis_all_the_same(zip_fit: Fit, kind: str) -> None:
    """Of one tick at 1e-5 nobody could read a distance: the axis reaches 1, a unit of log-likelihood, at least."""
    still = replace(zip_fit, restarts=tuple(replace(r, trace=r.trace[-1:]) for r in zip_fit.restarts))
    panel = specification(search_chart(still, kind))
    panels = panel.get("concat") or panel["vconcat"][-1]["concat"]
    place = "x" if kind == "restarts" else "y"
    (encoding, *_) = (layer["encoding"] for layer in panels[0]["layer"] if place in layer["encoding"])
    low, high = encoding[place]["scale"]["domain"]
    assert low < 1e-5 < 1.0 < high
    assert len(encoding[place]["axis"]["values"]) >= 3


def test_one_parameter_has_no_surface(fit) -> None:
    with pytest.raises(DistfitError, match="fewer than two") as error:
        search_chart(fit(KICKS[0], "poisson", KICKS[1], restarts=1, trace=True), "surface")
    assert "profile" in error.value.hint


def test_a_profile_interval_is_read_off_the_curve(kicks: Fit) -> None:
    """sqrt(deviance) of a quadratic log-likelihood is linear: the ends are exact. One open side is said so."""
    values = np.linspace(-1.0, 5.0, 25)
    curve = (values - 2.0) ** 2
    assert interval(values, curve, 1.96) == pytest.approx((0.04, 3.96))
    low, high = interval(values, np.where(values > 2, 0, curve), 1.96)
    assert low == pytest.approx(0.04)
    assert np.isnan(high)
    assert "rate 0.0400 to 3.96" in title_of(profile_chart(kicks, {"rate": (values, curve)}))


def test_an_overlay_ranks_by_bic_and_says_ties(fit) -> None:
    fits = [fit(KICKS[0], spec, KICKS[1], restarts=1) for spec in ("geometric", "nb", "poisson", "zip")]
    chart = overlay_chart(fits)
    series = list(dict.fromkeys(row["series"] for row in rows_with(chart, "series", "share")))
    assert series[0] == "poisson (ΔBIC 0.0)"
    deltas = [float(name.split()[-1].rstrip(")")) for name in series]
    assert deltas == sorted(deltas)
    assert title_of(chart).startswith("poisson has the lowest BIC, 417.5; the next,")
    tied = overlay_chart([fits[2], replace(fits[2], family="twin")])
    assert "twin within 2 of it" in title_of(tied)


def test_an_overlay_shows_at_most_six(kicks: Fit) -> None:
    many = [replace(kicks, family=f"f{i}", log_likelihood=-300.0 - i) for i in range(9)]
    chart = overlay_chart(many)
    assert len({row["series"] for row in rows_with(chart, "series", "share")}) == 6
    assert any("best 6 of 9" in text for text in texts(specification(chart)["title"]))


@pytest.mark.slow
def test_panels_are_at_most_thirty_and_named_apart(kicks: Fit) -> None:
    many = [replace(kicks, group={"ward": i}) for i in range(40)]
    spec = specification(pmf_panels(many))
    panels = spec["vconcat"][1]["concat"]
    assert len(panels) == 30
    assert panels[3]["title"]["text"] == "ward = 3, n = 200"
    assert any("first 30 of 40" in text for text in texts(spec["title"]))


def test_bars_are_counts_while_they_are_small() -> None:
    bars = bars_of(Histogram.of([0, 2, 2, 59]), Pmf.of(parse("poisson"), {"rate": 2.0}))
    assert [label(bar) for bar in bars] == [*map(str, range(60)), "≥60"]
    assert [bar.observed for bar in bars][:3] == [1, 0, 2]
    assert list(joined(bars)) == list(range(60))


@pytest.mark.parametrize("mean", [300, 10**6, 10**9])
def test_wide_data_have_few_bars_that_hold_everything(fit, mean: int) -> None:
    found = fit(np.random.default_rng(5).poisson(mean, 3000), "poisson", restarts=1)
    bars = bars_of(found.histogram, Pmf.of(*found.model))
    assert 20 < len(bars) <= 62
    assert sum(bar.observed for bar in bars) == 3000
    assert sum(bar.expected for bar in bars) == pytest.approx(3000)
    np.testing.assert_allclose(
        [bar.expected for bar in bars[:-1]],
        [3000 * np.diff(stats.poisson.cdf([bar.low - 1, bar.high], found.mean))[0] for bar in bars[:-1]],
        rtol=1e-8,
        atol=1e-9,
    )
    assert sum(map(len, data_of(fit_page(found)))) < 400


def test_a_departure_is_called_one(fit) -> None:
    found = fit(ZEROS, "poisson", restarts=1)
    assert not agreement(bars_of(found.histogram, Pmf.of(*found.model)), found.n).follows
    assert title_of(data_chart(found, "pmf")).startswith(
        "poisson departs from the counts; largest gap at 0: 60 observed, "
    )
    # On the scale of square roots, where the tail counts for more, another bar is furthest off.
    assert "furthest off at 1: 6 observed, " in title_of(data_chart(found, "rootogram"))


@pytest.mark.slow
@pytest.mark.parametrize(("counts", "spec"), [([0, 0, 0], "zip"), ([7, 7, 7], "2*poisson"), ([3], "nb")])
def test_degenerate_data_have_pictures_too(fit, counts: list[int], spec: str) -> None:
    found = fit(counts, spec, restarts=2, trace=True)
    for chart in (
        fit_page(found),
        check_page(found, found),
        search_chart(found, "trace"),
        search_chart(found, "restarts"),
    ):
        assert title_of(chart)


def test_few_counts_follow_nothing(fit) -> None:
    """Below ten counts no two bins expect 5: nothing can speak against the model."""
    one, nine = fit([3], "nb", restarts=2), fit([0, 1, 1, 2, 2, 3, 3, 4, 6], "poisson", restarts=1)
    assert title_of(fit_page(one)).startswith("1 count is too few to tell whether it follows nb; ")
    assert title_of(data_chart(nine, "pmf")).startswith("9 counts are too few to tell whether they follow poisson; ")
    for kind in ("pit", "qq"):
        assert title_of(data_chart(one, kind)).startswith("1 count is too few to tell whether ")


def test_a_check_on_its_own_data_does_not_call_them_new(tmp_path: Path, kicks: Fit) -> None:
    plot_check(kicks, "y", kicks.histogram, tmp_path / "same.svg")
    text = (tmp_path / "same.svg").read_text()
    assert "on the same 200 counts that it was fitted to" in text
    assert "new" not in text


def test_a_column_that_is_called_count_needs_no_unit() -> None:
    assert count_title("counts") == "counts"
    assert count_title("deaths") == "deaths (count)"


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "html", "PNG"])
def test_all_formats_are_the_same_chart(tmp_path: Path, kicks: Fit, suffix: str) -> None:
    path = tmp_path / f"fit.{suffix}"
    plot_fits([kicks], path)
    written = path.read_bytes()
    start = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<svg", "pdf": b"%PDF-", "html": b"<!DOCTYPE html>"}[suffix.lower()]
    assert written.startswith(start)
    assert list(tmp_path.iterdir()) == [path]
    if suffix == "svg":
        words = " ".join(ElementTree.fromstring(written).itertext())
        assert "poisson follows the counts; largest gap at 2" in words
        assert "share of observations" in words
    if suffix == "html":
        page = written.decode()
        assert not re.search(r"<(script|link)[^>]+(src|href)\s*=", page), "nothing is fetched"
        assert "poisson follows the counts; largest gap at 2" in page


def test_comparisons_and_checks_are_written(tmp_path: Path, kicks: Fit, zip_fit: Fit) -> None:
    plot_comparison([kicks], tmp_path / "compare.svg")
    plot_check(zip_fit, "deaths", kicks.histogram, tmp_path / "check.svg")
    text = (tmp_path / "check.svg").read_text()
    assert "zip as fitted to column y, on 200 new counts" in text
    assert "deaths (count)" in text, "the axis is that of the new data"
    assert "quantile residual" in text
    assert "PIT histogram" in text
    assert "poisson alone" in (tmp_path / "compare.svg").read_text()


@pytest.mark.parametrize("name", ["fit.jpg", "fit", "fit.png.txt"])
def test_a_picture_must_say_its_kind(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError) as error:
        check(tmp_path / name)
    for suffix in (".png", ".svg", ".pdf", ".html"):
        assert suffix in error.value.hint


def test_what_cannot_be_written_is_left_alone(tmp_path: Path, kicks: Fit) -> None:
    with pytest.raises(OutputError, match="no folder"):
        render(data_chart(kicks, "pmf"), tmp_path / "nowhere" / "fit.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match="is a directory"):
        check(tmp_path / "folder.png")


def test_series_differ_without_colour(kicks: Fit) -> None:
    """In grey what is left is dash and shape: both differ between all of six families."""
    many = [replace(kicks, family=f"f{i}", log_likelihood=-300.0 - i) for i in range(6)]
    key = specification(overlay_chart(many))["vconcat"][0]["layer"]
    dashes = key[0]["encoding"]["strokeDash"]["scale"]["range"]
    shapes = key[1]["encoding"]["shape"]["scale"]["range"]
    assert len({tuple(dash) for dash in dashes}) == len(set(shapes)) == 6
