"""Everything is a batch, and nobody notices: rows do not disturb each other, runs repeat to the bit."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from distfit_counts import fitting
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.optimise import problem
from distfit_counts.settings import FitSettings


def random_columns() -> list[Column]:
    """Columns of very different lengths, widths and levels, hard ones among them."""
    rng = np.random.default_rng(5)
    drawn = [
        rng.poisson(2.0, 300),
        rng.poisson(800.0, 50),
        rng.negative_binomial(1.3, 0.02, 400),
        rng.poisson(5.0, 2000) * rng.binomial(1, 0.5, 2000),
        rng.binomial(10, 0.7, 100),
        rng.poisson(0.05, 80),
        np.array([3, 4]),
        rng.geometric(0.3, 150) - 1,
        np.concatenate([rng.poisson(1.0, 100), rng.poisson(60.0, 40)]),
    ]
    return [Column("test", f"c{i}", {}, Histogram.of(values)) for i, values in enumerate(drawn)]


@pytest.fixture(scope="module")
def columns() -> list[Column]:
    return random_columns()


@pytest.fixture(scope="module")
def published(repository: Path) -> Column:
    """The published experiment: half structural zeros, half Poisson(5), 10,000 counts."""
    values = np.loadtxt(repository / "sample_data" / "zip_10000.csv", skiprows=1, dtype=np.int64)
    return Column("zip_10000.csv", "y", {}, Histogram.of(values))


@pytest.mark.parametrize(
    ("spec", "optimizer"),
    [
        ("poisson", "newton"),
        ("nb", "newton"),
        ("zip", "newton"),
        ("zip", "adam"),
        *(pytest.param(spec, "newton", marks=pytest.mark.slow) for spec in ("zinb", "hurdle(nb)", "2*poisson")),
    ],
)
def test_a_row_alone_is_the_row_in_a_batch(spec: str, optimizer: str, columns: list[Column]) -> None:
    # Where Adam is after so many steps is as good a question as where it ends.
    family, settings = parse(spec), FitSettings(restarts=2, optimizer=optimizer, max_steps=40)
    together = fit_columns(columns, family, settings)
    assert len(together) == len(columns)
    for column, batched in zip(columns, together, strict=True):
        (alone,) = fit_columns([column], family, settings)
        assert batched.column == column.column
        assert batched.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-12, abs=1e-10)
        assert batched.status == alone.status
        assert [v.code for v in batched.verdicts] == [v.code for v in alone.verdicts]
        # Where the likelihood is flat, rounding decides where a row stops; compare on the scale of the errors.
        for name, estimate in alone.parameters.items():
            error = estimate.std_error if np.isfinite(estimate.std_error) else 0.0
            other = batched.parameters[name]
            assert other.estimate == pytest.approx(estimate.estimate, rel=1e-8, abs=1e-6 * error, nan_ok=True), name
            assert other.boundary == estimate.boundary
        # A mixture's starts are ordered by their likelihoods, and of those alike, rounding decides which is first.
        if not spec[0].isdigit():
            for one, other in zip(alone.restarts, batched.restarts, strict=True):
                assert one.start == pytest.approx(other.start, rel=1e-12)


def test_the_order_of_columns_does_not_matter(columns: list[Column]) -> None:
    forward = fit_columns(columns, parse("zip"), FitSettings(restarts=2))
    backward = fit_columns(columns[::-1], parse("zip"), FitSettings(restarts=2))
    assert [f.column for f in forward] == [c.column for c in columns]
    assert forward.log_likelihood == pytest.approx(backward.log_likelihood[::-1], rel=1e-13)
    assert forward.log_likelihood == pytest.approx([f.log_likelihood for f in forward], rel=1e-15)


@pytest.mark.parametrize("optimizer", ["newton", "adam"])
def test_the_published_experiment(optimizer: str, published: Column) -> None:
    (found,) = fit_columns([published], parse("zip"), FitSettings(restarts=10, optimizer=optimizer))
    assert found.converged
    assert found.nll_per_observation == pytest.approx(1.754943437291, abs=1e-12)
    own = [restart for restart in found.restarts if restart.origin in ("moments", "random")]
    assert len(own) == 10
    for restart in own:
        assert restart.status == "converged"
        assert restart.basin == 1
        assert restart.nll / 10_000 == pytest.approx(1.754943437291, abs=2e-12)
        assert restart.estimate["pi"] == pytest.approx(0.509740, abs=1e-6)
        assert restart.estimate["rate"] == pytest.approx(5.013260, abs=1e-6)
    assert len({tuple(restart.start.values()) for restart in own}) == 10, "ten different starts"


@pytest.mark.parametrize("spec", ["poisson", "geometric", "nb", "zip", "hurdle(poisson)", "2*poisson"])
def test_both_optimisers_reach_the_same_optimum(spec: str) -> None:
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.poisson(1.5, 300), rng.poisson(9.0, 200), np.zeros(80, dtype=np.int64)])
    column = Column("test", "y", {}, Histogram.of(values))
    (newton,) = fit_columns([column], parse(spec), FitSettings(restarts=1))
    (adam,) = fit_columns([column], parse(spec), FitSettings(restarts=1, optimizer="adam"))
    assert newton.converged
    assert adam.converged
    assert adam.log_likelihood == pytest.approx(newton.log_likelihood, abs=1e-7)
    for name, estimate in newton.parameters.items():
        assert adam.parameters[name].estimate == pytest.approx(estimate.estimate, rel=1e-4), name
        assert adam.parameters[name].std_error == pytest.approx(estimate.std_error, rel=1e-3, nan_ok=True), name


def numbers(fits: object) -> list[object]:
    return [(f.log_likelihood, f.parameters, f.restarts) for f in fits]  # type: ignore[attr-defined]


@pytest.mark.parametrize("spec", ["zinb", "2*poisson"])
def test_the_same_seed_repeats_to_the_bit(spec: str, columns: list[Column]) -> None:
    chosen = [columns[0], columns[3], columns[8]]
    first = fit_columns(chosen, parse(spec), FitSettings(restarts=3, seed=7))
    second = fit_columns(chosen, parse(spec), FitSettings(restarts=3, seed=7))
    assert repr(numbers(first)) == repr(numbers(second))


def test_another_seed_draws_other_starts(published: Column) -> None:
    one, other = (
        fit_columns([published], parse("zip"), FitSettings(restarts=5, seed=seed))[0].restarts[:5] for seed in (0, 1)
    )
    assert one[0].start == other[0].start, "restart 1 begins at the moments, whatever the seed"
    for mine, theirs in zip(one[1:], other[1:], strict=True):
        assert mine.origin == theirs.origin == "random"
        assert mine.start != theirs.start


@pytest.mark.parametrize("spec", ["poisson", "nb", "zinb", "3*poisson", "hurdle(2*poisson)"])
def test_restarts_are_as_many_as_asked_for(spec: str, columns: list[Column]) -> None:
    (found,) = fit_columns([columns[3]], parse(spec), FitSettings(restarts=6))
    own = [restart for restart in found.restarts if restart.origin in ("moments", "random")]
    assert [restart.restart for restart in own] == [1, 2, 3, 4, 5, 6]
    assert [restart.origin for restart in own] == ["moments", *["random"] * 5]
    assert len({tuple(restart.start.values()) for restart in own}) == 6


@pytest.mark.parametrize("optimizer", ["newton", "adam"])
def test_converged_rows_leave_the_batch(optimizer: str, columns: list[Column], monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    evaluate = problem.Objective.__call__

    def counted(self, theta, column, hessian):
        if hessian == (optimizer == "newton"):  # adam asks for the Hessian once, at the end
            rows.append(len(theta))
        return evaluate(self, theta, column, hessian)

    monkeypatch.setattr(problem.Objective, "__call__", counted)
    monkeypatch.setattr(fitting, "WIDEST", 1e9)  # all columns in one chunk
    settings = FitSettings(restarts=5, optimizer=optimizer, max_steps=400)
    fit_columns([c for c in columns if c.histogram.n > 50], parse("geometric"), settings)
    assert rows[0] == 5 * sum(c.histogram.n > 50 for c in columns)
    assert all(later <= earlier for earlier, later in itertools.pairwise(rows))
    assert len(set(rows)) > 2, "they leave one after the other"
    assert rows[-1] < rows[0] / 2


def test_progress_counts_every_column_once(columns: list[Column], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "WIDEST", 1e9)  # all columns in one chunk
    seen: list[tuple[float, int, str]] = []
    fit_columns(columns, parse("nb"), FitSettings(restarts=3), lambda *numbers: seen.append(numbers))
    done = [own for own, _, _ in seen]
    assert done == sorted(done)
    assert {total for _, total, _ in seen} == {len(columns)}
    assert done[-1] == len(columns)
    assert len(set(done)) > 4


def test_the_trace_tells_how_it_went(published: Column) -> None:
    (found,) = fit_columns([published], parse("zip"), FitSettings(restarts=2, trace=True))
    for restart in found.restarts:
        trace = restart.trace
        assert len(trace) == restart.steps + 1
        assert trace[0].estimate == pytest.approx(restart.start, rel=1e-12)
        assert trace[-1].nll == pytest.approx(restart.nll, rel=1e-13)
        assert all(b.nll <= a.nll + 1e-9 for a, b in itertools.pairwise(trace)), "newton never climbs"
    (plain,) = fit_columns([published], parse("zip"), FitSettings(restarts=2))
    assert plain.restarts[0].trace == ()


def test_steps_that_run_out_are_said(published: Column) -> None:
    (found,) = fit_columns([published], parse("nb"), FitSettings(restarts=1, max_steps=1))
    assert not found.converged
    assert found.status == "max_steps"
    assert "fit.max_steps" in [verdict.code for verdict in found.verdicts]
    assert np.isfinite(found.log_likelihood)


@pytest.mark.parametrize("exponent", [3, 6, 9, 12])
def test_large_counts_and_large_samples(exponent: int) -> None:
    """Multiply the weights: the estimates stay, the errors shrink by the root. Softplus must reach a mean of 1e6."""
    values, weights = np.array([0, 1, 2, 3, 5, 8]), np.array([40, 30, 15, 9, 4, 2])
    small, large = (
        fit_columns(
            [Column("t", "y", {}, Histogram.of(values, weights * factor))], parse("nb"), FitSettings(restarts=2)
        )[0]
        for factor in (1, 10**exponent)
    )
    assert large.converged
    for name, estimate in small.parameters.items():
        assert large.parameters[name].estimate == pytest.approx(estimate.estimate, rel=1e-6)
        assert large.parameters[name].std_error == pytest.approx(estimate.std_error * 10 ** (-exponent / 2), rel=1e-5)


@pytest.mark.parametrize("mean", [1e3, 1e6, 1e9])
@pytest.mark.parametrize("spec", ["poisson", "nb", "zip", "zinb", "hurdle(poisson)", "2*poisson"])
def test_high_counts(spec: str, mean: float) -> None:
    """Structural zeros beside counts around ``mean``: a share and a rate, each with its own closed form."""
    rng = np.random.default_rng(8)
    values = rng.poisson(mean, 100)
    if spec != "poisson":
        values[:25] = 0
    (found,) = fit_columns([Column("t", "y", {}, Histogram.of(values))], parse(spec), FitSettings(restarts=3))
    assert found.converged, (found.status, found.parameters)
    assert found.mean == pytest.approx(values.mean(), rel=1e-8)
    shown = values[values > 0]
    if spec in ("zip", "zinb", "hurdle(poisson)"):
        (_, share), (name, _) = list(found.parameters.items())[:2]
        assert share.estimate == pytest.approx(0.25, rel=1e-9)
        assert share.std_error == pytest.approx(np.sqrt(0.25 * 0.75 / 100), rel=1e-6)
        assert found.parameters[name].estimate == pytest.approx(shown.mean(), rel=1e-9)
    if spec in ("zip", "hurdle(poisson)"):
        assert found.parameters["rate"].std_error == pytest.approx(np.sqrt(shown.mean() / len(shown)), rel=1e-6)
