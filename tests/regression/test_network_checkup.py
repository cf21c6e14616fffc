"""The check-up: numbers worked by hand, and a verdict for every way in which a training goes wrong."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from distfit_counts.families.spec import parse
from distfit_counts.records import decoded
from distfit_counts.regression.natural import BERNOULLI, Categorical, Gaussian, NaturalPoisson
from distfit_counts.regression.network.block import Arrays
from distfit_counts.regression.network.checkup import Checkup, Spread, checkup
from distfit_counts.regression.network.feed import Batch
from distfit_counts.regression.network.history import History
from distfit_counts.regression.network.net import Net
from distfit_counts.regression.network.saturated import saturated_log_prob
from distfit_counts.regression.network.scored import Scored
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.network.train import train
from distfit_counts.regression.network.verdicts import verdicts
from distfit_counts.regression.observed_means import correlation, r_squared, tenths
from distfit_counts.regression.row_model import CountModel

NB, ZINB = CountModel.of(parse("nb")), CountModel.of(parse("zinb"))
GOOD = History((1.0,), (1.0, 0.8, 0.7), (1.0, 0.9, 0.8, 0.7), (0.1, 0.2), (0.5, 0.6))
SPREAD = Spread(1.0, 2.0, 3.0, 4.0, 5.0)
FOUND = Checkup(
    held_out=True,
    n=100,
    parameters={"mean": SPREAD, "size": SPREAD},
    means={"mean": (3.0, 3.0)},
    tenths={"mean": ()},
    r_squared=0.5,
    correlation=0.7,
    mean_square_error=1.0,
    log_score=-2.0,
    gain=0.3,
    gain_error=0.01,
    climb=0.4,
    climb_error=0.02,
    deviance=90.0,
)


def codes(found: Checkup = FOUND, history: History = GOOD) -> list[str]:
    return [verdict.code for verdict in verdicts(found, history, ZINB)]


def test_the_numbers_are_those_worked_by_hand() -> None:
    """A gaussian network that predicts x itself: y - x = 1, 0, -1, 0; against a constant 0."""
    x = torch.tensor([[-1.0], [0.0], [1.0], [2.0]], dtype=torch.float64)
    y = torch.tensor([0.0, 0.0, 0.0, 2.0], dtype=torch.float64)
    by = Scored(Gaussian(), Gaussian(), np.zeros(1))
    found = checkup(by, x.T, Batch(x, y, torch.ones(4, dtype=torch.float64), None), True, (0.0, 0.0))
    assert found.r_squared == pytest.approx(1.0 - 2.0 / 3.0)
    assert found.correlation == pytest.approx(3.0 / np.sqrt(5.0 * 3.0))
    assert found.mean_square_error == pytest.approx(0.5)
    assert found.log_score == pytest.approx(-0.25 - 0.5 * np.log(2.0 * np.pi))
    # Rows gain (y² - (y - x)²)/2 = -1/2, 0, -1/2, 2.
    assert found.gain == pytest.approx(0.25)
    assert found.gain_error == pytest.approx(np.sqrt((0.5625 * 2 + 0.0625 + 3.0625) / 16))
    assert found.deviance == pytest.approx(2.0)
    assert found.means == {"mean": (pytest.approx(0.5), pytest.approx(0.5))}
    assert (found.parameters["mean"].minimum, found.parameters["mean"].maximum) == (-1.0, 2.0)
    assert [tenth.rows for tenth in found.tenths["mean"]] == [1, 1, 1, 1]


def test_weights_count_as_rows() -> None:
    predicted, y = np.array([[1.0, 2.0, 4.0]]), np.array([[0.0, 3.0, 5.0]])
    for number in (r_squared, correlation):
        twice = number(predicted[:, [0, 1, 1, 2]], y[:, [0, 1, 1, 2]], np.full(4, 0.25))
        assert number(predicted, y, np.array([0.25, 0.5, 0.25])) == pytest.approx(twice)
    assert np.isnan(correlation(np.ones((1, 3)), y, np.full(3, 1 / 3)))


def test_deviances_are_the_textbooks() -> None:
    """McCullagh and Nelder (1989), table 2.1, with y = 0 as its limit; of the negative binomial, their section 11.2."""
    y = torch.tensor([0.0, 1.0, 4.0], dtype=torch.float64)
    mean, size = torch.tensor([0.5, 2.0, 3.0], dtype=torch.float64), torch.full((3,), 1.5, dtype=torch.float64)
    ratio = torch.where(y > 0, y * torch.log(y.clamp(min=1.0) / mean), 0.0)
    eta = torch.stack([mean.log(), size.log()])
    for model, unit in (
        (NaturalPoisson(), 2.0 * (ratio - (y - mean))),
        (CountModel.of(parse("poisson")), 2.0 * (ratio - (y - mean))),
        (NB, 2.0 * (ratio - (y + size) * torch.log((y + size) / (mean + size)))),
    ):
        own = eta[: len(model.heads)]
        best = saturated_log_prob(model, own, y)
        assert best is not None
        torch.testing.assert_close(2.0 * (best - model.log_prob(own.unbind(0), y)), unit, rtol=1e-12, atol=1e-12)
    assert saturated_log_prob(CountModel.of(parse("zip")), eta, y) is None
    assert saturated_log_prob(BERNOULLI, eta[:1], y) is not None


def test_a_sound_training_has_nothing_to_say() -> None:
    assert codes() == []


@pytest.mark.parametrize(
    ("code", "found", "history"),
    [
        ("network.plateau", replace(FOUND, gain=0.01), GOOD),
        ("network.plateau", replace(FOUND, gain=0.0, gain_error=0.0), GOOD),
        ("network.gradient_vanished", FOUND, replace(GOOD, gradient_norm_max=(0.0, 0.6))),
        ("network.held_out_climbs", FOUND, replace(GOOD, held_out=(1.0, 0.5, 0.6, 0.7, 0.8))),
        ("network.parameter_pinned", replace(FOUND, parameters={"size": Spread(0.0, 2e6, 3e7, 4e8, 5e9)}), GOOD),
        ("network.parameter_pinned", replace(FOUND, parameters={"pi": Spread(0.0, 1e-12, 1e-9, 1e-7, 0.4)}), GOOD),
        ("network.parameter_pinned", replace(FOUND, parameters={"mean": Spread(1.0, 3.0, 3.0, 3.001, 9.0)}), GOOD),
    ],
)
def test_every_way_to_fail_has_its_verdict(code: str, found: Checkup, history: History) -> None:
    assert codes(found, history) == [code]


CLIMBS = replace(GOOD, held_out=(1.0, 0.5, 0.6, 0.7, 0.8))


@pytest.mark.parametrize(
    ("found", "history"),
    [
        # Too few rows for any standard error.
        (replace(FOUND, n=20, gain=0.0), CLIMBS),
        # The gain may be nothing, or 0.4 a row.
        (replace(FOUND, gain=0.01, gain_error=0.2), GOOD),
        # The climb is within what another draw of the held-out rows would do.
        (replace(FOUND, climb=0.05, climb_error=0.03), CLIMBS),
    ],
)
def test_where_rows_are_too_few_nothing_is_said(found: Checkup, history: History) -> None:
    assert codes(found, history) == []


def test_of_a_loss_that_climbs_it_is_not_said_that_it_stands_still() -> None:
    (verdict,) = verdicts(replace(FOUND, gain=0.0), CLIMBS, ZINB)
    assert verdict.code == "network.held_out_climbs"
    assert "not clearly better than a fit without covariates (log score +0 ± 0.01)" in verdict.message


def test_a_climb_is_that_of_the_last_epochs_weights() -> None:
    """The held-out NLL at the end less that at the best epoch, which is what the path of the means has."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 8))
    data = Arrays(x, rng.poisson(2.0, 400).astype(float), np.ones(400), None, tuple("abcdefgh"))
    settings = NetworkSettings((40,), batch_size=32, epochs=15, learning_rate=0.03, validation=0.5, patience=20)
    fit = train(NB, data, settings)
    path = fit.history.held_out
    assert fit.checkup.climb == pytest.approx(path[-1] - min(path))
    assert fit.checkup.climb > 3.0 * fit.checkup.climb_error > 0.0
    assert fit.verdicts[0].code == "network.held_out_climbs"


def test_units_that_are_never_active_are_found_in_a_training() -> None:
    """Biases so low that no row reaches the second layer."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    data = Arrays(x, rng.poisson(np.exp(x[:, 0])).astype(float), np.ones(300), None, ("a", "b"))
    first = Net.__init__

    def dead(self: Net, *arguments: object) -> None:
        first(self, *arguments)  # type: ignore[arg-type]
        with torch.no_grad():
            self.layers[0].bias.fill_(-100.0)  # type: ignore[union-attr, operator]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Net, "__init__", dead)
        fit = train(NB, data, NetworkSettings((5, 4), epochs=3))
    dead_layers = next(verdict for verdict in fit.verdicts if verdict.code == "network.gradient_vanished")
    assert "layer 1 of 3" in dead_layers.message
    # Only biases moved: every row is predicted alike.
    assert {verdict.code for verdict in fit.verdicts} & {"network.plateau", "network.parameter_pinned"}


def test_a_categorical_response_is_judged_by_its_levels() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3000, 1))
    shares = np.exp(np.column_stack([np.zeros(3000), x[:, 0], -x[:, 0]]))
    y = (rng.random((3000, 1)) > np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)).sum(axis=1)
    data = Arrays(x, y.astype(float), np.ones(3000), None, ("x",))
    fit = train(Categorical(("a", "b", "c")), data, NetworkSettings((8,), epochs=10, learning_rate=0.01))
    assert list(fit.checkup.means) == ["b", "c"]
    for predicted, observed in fit.checkup.means.values():
        assert predicted == pytest.approx(observed, abs=0.1)
    assert fit.checkup.r_squared > 0.1
    assert fit.verdicts == ()


def test_undefined_numbers_come_back_from_strict_json() -> None:
    found = replace(FOUND, deviance=float("nan"))
    back = decoded(Checkup, json.loads(json.dumps(found.to_json(), allow_nan=False)))
    assert np.isnan(back.deviance)
    assert replace(back, deviance=1.0) == replace(found, deviance=1.0)


def test_tenths_part_the_rows_by_their_predicted_mean() -> None:
    """Ten groups of ascending predictions, whose means weigh up to the mean of all."""
    rng = np.random.default_rng(1)
    predicted, observed = rng.gamma(2.0, 2.0, 95), rng.poisson(3.0, 95).astype(float)
    found = tenths(predicted, observed, np.ones(95))
    assert [own.rows for own in found] == [10] * 5 + [9] * 5
    assert [own.predicted for own in found] == sorted(own.predicted for own in found)
    assert len({own.predicted for own in found}) == 10
    assert sum(own.rows * own.observed for own in found) == pytest.approx(observed.sum())
