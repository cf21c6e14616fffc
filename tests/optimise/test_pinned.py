"""One parameter held fixed: nothing is lost by taking it out of theta and putting it back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from distfit_counts.families.mixture import Mixture
from distfit_counts.families.poisson import Poisson
from distfit_counts.families.spec import parse
from distfit_counts.optimise.pinned import Pinned, places
from distfit_counts.optimise.problem import Batch, Objective, natural

SPECS = ["poisson", "nb", "zip", "zinb", "hurdle(nb)", "logseries", "2*poisson", "3*nb", "zi(2*poisson)", "zip+2*nb"]
every = pytest.mark.parametrize("spec", SPECS)
COUNTS = np.array([[1.0, 2.0, 3.0, 7.0, 20.0], [1.0, 4.0, 5.0, 1.0, 1.0]])
WEIGHTS = np.array([[30.0, 12.0, 5.0, 2.0, 1.0], [9.0, 4.0, 2.0, 0.0, 0.0]])


def draw(spec: str, rows: int = 40) -> np.ndarray:
    return np.random.default_rng(0).normal(0.0, 3.0, (rows, parse(spec).n_parameters))


@every
def test_join_reverses_split(spec: str) -> None:
    theta = draw(spec)
    found = places(parse(spec))
    assert tuple(found) == parse(spec).names
    for place in found.values():
        pinned, free = place.split(theta)
        assert pinned.shape == (40,)
        assert free.shape == (40, theta.shape[1] - 1)
        again = place.join(torch.from_numpy(pinned), torch.from_numpy(free)).numpy()
        np.testing.assert_allclose(again, theta, rtol=1e-12, atol=1e-12)


@every
def test_split_reverses_join(spec: str) -> None:
    theta = draw(spec)
    for place in places(parse(spec)).values():
        pinned, free = theta[:, 0], theta[:, 1:]
        again = place.split(place.join(torch.from_numpy(pinned), torch.from_numpy(free)).numpy())
        np.testing.assert_allclose(again[0], pinned, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(again[1], free, rtol=1e-12, atol=1e-12)


@every
def test_the_value_stays_whatever_the_others_do(spec: str) -> None:
    """Twenty rows with the same pinned coordinate and different free ones show one natural value."""
    family, theta = parse(spec), draw(spec)
    scale = np.full((40, len(family.names)), 2.5)
    for name, place in places(family).items():
        pinned = np.repeat([-1.3, 0.4], 20)
        joined = place.join(torch.from_numpy(pinned), torch.from_numpy(theta[:, 1:])).numpy()
        values = natural(family, joined, scale)[:, family.names.index(name)]
        np.testing.assert_allclose(values[:20], values[0], rtol=1e-12)
        np.testing.assert_allclose(values[20:], values[20], rtol=1e-12)
        assert values[0] < values[20], "a larger coordinate is a larger value"
        if place.simplex:
            np.testing.assert_allclose(values[[0, 20]], 1.0 / (1.0 + np.exp([1.3, -0.4])), rtol=1e-12)


def test_the_other_weights_keep_their_proportions() -> None:
    family, theta = parse("4*poisson"), draw("4*poisson", 1)
    scale = np.ones((1, 8))
    for own, place in enumerate(list(places(family).values())[:4]):
        pinned, free = place.split(theta)
        before = np.delete(natural(family, theta, scale)[0, :4], own)
        moved = place.join(torch.from_numpy(pinned + 2.0), torch.from_numpy(free)).numpy()
        after = np.delete(natural(family, moved, scale)[0, :4], own)
        np.testing.assert_allclose(before / before.sum(), after / after.sum(), rtol=1e-12)


@every
def test_the_pinned_objective_is_the_plain_one(spec: str) -> None:
    """Value, gradient and Hessian, by the chain rule in finite differences; every row with its own column."""
    family = parse(spec)
    theta = 0.3 * draw(spec, 6)
    scale = np.random.default_rng(1).uniform(1.0, 4.0, (2, len(family.names)))
    plain = Objective(family, Batch(COUNTS, WEIGHTS, WEIGHTS.sum(axis=1)), scale)
    column = torch.tensor([0, 1, 0, 1, 1, 0])
    expected = plain(torch.from_numpy(theta), column, hessian=False).value
    for place in places(family).values():
        pinned, free = (torch.from_numpy(part) for part in place.split(theta))
        objective, index = Pinned(plain, place, pinned, column), torch.arange(6)
        if free.shape[1] == 0:
            torch.testing.assert_close(objective.value(free, index), expected, rtol=1e-12, atol=1e-13)
            continue
        found = objective(free, index, hessian=True)
        torch.testing.assert_close(found.value, expected, rtol=1e-12, atol=1e-13)
        h = 1e-4
        for j in range(free.shape[1]):
            step = torch.zeros_like(free)
            step[:, j] = h
            up, down = (
                plain(place.join(pinned, free + sign * step), column, hessian=False).value for sign in (1.0, -1.0)
            )
            torch.testing.assert_close(found.gradient[:, j], (up - down) / (2 * h), rtol=1e-5, atol=1e-7)
            curvature = (up - 2.0 * expected + down) / h**2
            torch.testing.assert_close(found.hessian[:, j, j], curvature, rtol=1e-4, atol=1e-5)


def test_rows_are_chosen_by_index() -> None:
    """What the minimiser calls a column is a row here: a subset keeps its own pinned values."""
    family = parse("nb")
    theta = draw("nb", 5)
    plain = Objective(family, Batch(COUNTS, WEIGHTS, WEIGHTS.sum(axis=1)), np.ones((2, 2)))
    place = places(family)["size"]
    pinned, free = (torch.from_numpy(part) for part in place.split(theta))
    column = torch.tensor([0, 1, 1, 0, 1])
    objective = Pinned(plain, place, pinned, column)
    some = torch.tensor([4, 1])
    found = objective(free[some], some, hessian=False).value
    expected = plain(torch.from_numpy(theta), column, hessian=False).value[some]
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(objective.n, torch.tensor([50.0, 15.0, 15.0, 50.0, 15.0], dtype=torch.float64))


def test_the_weight_of_a_single_component_cannot_be_held() -> None:
    assert list(places(Mixture((Poisson(),)))) == ["rate[1]"]
    assert places(parse("point(3)")) == {}


def test_which_coordinates_have_an_end_that_is_a_model() -> None:
    """A mean grows without one; a size runs to the Poisson, a probability to 0 and 1."""
    zinb = places(parse("zinb"))
    assert {name: place.unbounded for name, place in zinb.items()} == {"pi": False, "mean": True, "size": False}
    mixture = places(parse("2*poisson"))
    assert {name: place.simplex for name, place in mixture.items()} == {
        "weight[1]": True,
        "weight[2]": True,
        "rate[1]": False,
        "rate[2]": False,
    }
