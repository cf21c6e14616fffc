"""A race of starts finds what all of them would: who joins another would have ended there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_families
from distfit_counts.optimise.minimise import CONVERGED, minimise
from distfit_counts.optimise.problem import Evaluation, differentiated
from distfit_counts.optimise.race import Race, in_one_bowl
from distfit_counts.optimise.starts import numbered
from distfit_counts.settings import COMPARED, FitSettings
from tests.optimise.test_batch import random_columns


class Wells:
    """(x^2 - 1)^2 + a x + y^2: two wells, the left one deeper by 2 a."""

    def __init__(self, tilt: float = 0.1) -> None:
        self.n, self._tilt = torch.tensor([1000.0], dtype=torch.float64), tilt

    def __call__(self, theta: torch.Tensor, column: torch.Tensor, hessian: bool) -> Evaluation:
        theta = theta.detach().requires_grad_(True)
        x, y = theta[:, 0], theta[:, 1]
        return differentiated((x * x - 1.0) ** 2 + self._tilt * x + y * y, theta, hessian)


def points(*rows: tuple[float, float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ((0.9, 0.3), (1.05, -0.2), True),
        ((-1.2, 2.0), (-0.9, 0.0), True),
        ((0.7, 0.0), (2.0, 1.0), True),
        # With a hill between them.
        ((-1.0, 0.0), (1.0, 0.0), False),
        ((-0.7, 1.0), (0.6, 0.0), False),
    ],
)
def test_two_points_are_in_one_bowl(first: tuple[float, float], second: tuple[float, float], same: bool) -> None:
    theta = points(first, second)
    found = Wells()(theta, torch.zeros(2, dtype=torch.int64), True)
    for one, other in ((0, 1), (1, 0)):
        assert bool(in_one_bowl(theta, found, torch.tensor([one]), torch.tensor([other]))[0]) is same


def test_whoever_joins_ends_where_the_leader_ends() -> None:
    rng = np.random.default_rng(2)
    theta = torch.from_numpy(rng.normal(0.0, 1.5, (40, 2)))
    column = torch.zeros(40, dtype=torch.int64)
    alone = minimise(Wells(), theta, column, "newton", 1e-9, 100, 0.1)
    race = Race(column, torch.ones(1, dtype=torch.float64))
    raced = minimise(Wells(), theta, column, "newton", 1e-9, 100, 0.1, race=race)
    ends = race.ends()
    assert (ends != torch.arange(40)).sum() > 20
    assert torch.equal(ends[ends], ends)
    torch.testing.assert_close(raced.theta, raced.theta[ends])
    # Nearly all end where they would by themselves: from the rim of a bowl Newton's step may leap into another.
    followed = raced.status == CONVERGED
    same = (raced.theta - alone.theta)[followed].abs().amax(dim=1) < 1e-6
    assert same.double().mean() > 0.8
    assert {round(x) for x in raced.theta[followed][:, 0].tolist()} == {-1, 1}
    assert raced.steps.sum() < 0.6 * alone.steps.sum()


def test_who_was_not_followed_to_the_end_does_not_say_so() -> None:
    """No start of a comparison has arrived anywhere in 0 steps but where it began."""
    column = Column("t.csv", "y", {}, Histogram.of(np.random.default_rng(1).negative_binomial(2, 0.3, 300)))
    specs = ("poisson", "nb", "zinb", "2*poisson", "hurdle(nb)")
    joined = 0
    for fits in fit_families([column], [parse(spec) for spec in specs], FitSettings(restarts=10), race=True):
        for restart in fits[0].restarts:
            moved = any(abs(restart.estimate[name] - restart.start[name]) > 0.1 for name in restart.start)
            assert not (moved and restart.steps == 0 and restart.status == "converged")
            joined += restart.status == "joined"
        # Who is joined to somebody is at an optimum all the same.
        assert all(restart.basin == 1 for restart in fits[0].restarts if restart.status == "joined")
        assert "joined: " in fits[0].summary()
    assert joined > 20


def test_columns_race_by_themselves() -> None:
    rng = np.random.default_rng(3)
    theta = torch.from_numpy(rng.normal(0.0, 1.5, (12, 2)))
    both = Wells()
    both.n = torch.tensor([1000.0, 1000.0], dtype=torch.float64)
    column = torch.tensor([0, 1]).repeat_interleave(12)
    together = minimise(
        both,
        theta.repeat(2, 1),
        column,
        "newton",
        1e-9,
        100,
        0.1,
        race=Race(column, torch.ones(2, dtype=torch.float64)),
    )
    one = minimise(
        Wells(),
        theta,
        column[:12],
        "newton",
        1e-9,
        100,
        0.1,
        race=Race(column[:12], torch.ones(1, dtype=torch.float64)),
    )
    for half in (slice(0, 12), slice(12, 24)):
        torch.testing.assert_close(together.theta[half], one.theta, atol=0.0, rtol=0.0)
        assert torch.equal(together.status[half], one.status)


@pytest.mark.parametrize(
    "specs", [("poisson", "nb", "zip"), pytest.param(COMPARED, marks=pytest.mark.slow), ("2*poisson",)]
)
def test_no_maximum_is_lost(specs: tuple[str, ...]) -> None:
    columns, families = random_columns(), [parse(spec) for spec in specs]
    settings = FitSettings(restarts=4)
    raced, all_followed = (fit_families(columns, families, settings, race=race) for race in (True, False))
    for own, other in zip(raced, all_followed, strict=True):
        assert own.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-10, abs=1e-8)
        assert [fit.status for fit in own] == [fit.status for fit in other]


def test_starts_that_differ_only_in_their_numbers_are_one_point() -> None:
    family = parse("2*poisson")
    scale = np.array([[0.4, 0.6, 3.0, 9.0]])
    theta = np.array([[[0.3, -0.5, 1.0], [0.1, 2.0, -1.0]]])
    ordered = numbered(family, theta, scale)
    np.testing.assert_array_equal(numbered(family, ordered, scale), ordered)
    found = [
        family.log_prob_natural(values, torch.arange(30.0, dtype=torch.float64)) for values in _named(theta, scale)
    ]
    again = [
        family.log_prob_natural(values, torch.arange(30.0, dtype=torch.float64)) for values in _named(ordered, scale)
    ]
    for one, other in zip(found, again, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def _named(theta: np.ndarray, scale: np.ndarray) -> list[dict[str, torch.Tensor]]:
    from distfit_counts.optimise.problem import natural

    family = parse("2*poisson")
    values = natural(family, theta, scale[:, None, :])[0]
    return [{name: torch.tensor([v]) for name, v in zip(family.names, row, strict=True)} for row in values]


def test_of_who_retired_no_verdict_says_where_it_ended() -> None:
    rng = np.random.default_rng(8)
    columns = [Column("t", f"y{i}", {}, Histogram.of(rng.negative_binomial(2.0, 0.2, 400))) for i in range(6)]
    fits = fit_families(columns, [parse("2*nb")], FitSettings(), race=True)[0]
    retired = [any(restart.status == "retired" for restart in fit.restarts) for fit in fits]
    assert any(retired)
    for fit, some in zip(fits, retired, strict=True):
        assert fit.converged
        assert not (some and "restarts.rarely_best" in [verdict.code for verdict in fit.verdicts])
