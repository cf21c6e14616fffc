"""Training: starts, early stopping, checkpoints, and what it does when it cannot go on."""

from __future__ import annotations

import json
import math
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from distfit_counts.errors import DataError, DistfitError, Interrupted
from distfit_counts.families.spec import parse
from distfit_counts.records import Damaged
from distfit_counts.regression.natural import Gaussian
from distfit_counts.regression.network.arrays_file import read, write
from distfit_counts.regression.network.block import Arrays
from distfit_counts.regression.network.codec import packed
from distfit_counts.regression.network.fit import NetworkFit
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.network.split import chosen
from distfit_counts.regression.network.state import SCHEMA
from distfit_counts.regression.network.train import train
from distfit_counts.regression.row_model import CountModel

NB = CountModel.of(parse("nb"))
SHORT = NetworkSettings((8, 5), batch_size=64, epochs=8)


def counts(n: int = 600, scale: float = 1.0) -> Arrays:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(n, 3))
    mean = scale * np.exp(np.sin(x[:, 0]))
    return Arrays(x, rng.poisson(rng.gamma(2.0, mean / 2.0)).astype(float), np.ones(n), None, ("a", "b", "c"))


def same(a: NetworkFit, b: NetworkFit) -> None:
    assert a.history == b.history
    assert a.checkup == b.checkup
    for name, value in a.weights.items():
        assert np.array_equal(value, b.weights[name]), name


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_an_interrupted_training_ends_as_if_it_had_not_been(tmp_path: Path, optimizer: str) -> None:
    """Interrupted twice: within an epoch, by the signal that Ctrl-C sends, and between two."""
    settings, file = replace(SHORT, optimizer=optimizer), tmp_path / "checkpoint.npz"
    whole = train(NB, counts(), settings)

    def press(epoch: int, _: int, __: float) -> None:
        if epoch == 3:
            os.kill(os.getpid(), signal.SIGINT)

    def stop(epoch: int, _: int, __: float) -> None:
        if epoch == 5:
            raise KeyboardInterrupt

    for interrupt in (press, stop):
        with pytest.raises(KeyboardInterrupt):
            train(NB, counts(), settings, file, interrupt)
    seen: list[int] = []
    same(train(NB, counts(), settings, file, lambda epoch, _, __: seen.append(epoch)), whole)
    assert seen == [6, 7, 8], "it went on where it was"
    same(train(NB, counts(), settings, file), whole)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_where_ctrl_c_is_ignored_it_stays_so() -> None:
    """As for what a script starts with "&": the key is meant for something else."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        trained = train(NB, counts(), SHORT, None, lambda *_: os.kill(os.getpid(), signal.SIGINT))
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    same(trained, train(NB, counts(), SHORT))


def test_within_an_epoch_only_the_steps_that_are_left_are_taken(tmp_path: Path) -> None:
    from distfit_counts.regression.network.epochs import Epochs

    file, taken = tmp_path / "checkpoint.npz", 0
    step = Epochs._step

    def counted(self: Epochs, batch: object) -> None:
        nonlocal taken
        step(self, batch)  # type: ignore[arg-type]
        taken += 1
        if taken == 12:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Epochs, "_step", counted)
        with pytest.raises(KeyboardInterrupt):
            train(NB, counts(), SHORT, file)
        found = train(NB, counts(), SHORT, file)
    whole = train(NB, counts(), SHORT)
    same(found, whole)
    assert taken == 8 * 9, "540 rows in batches of 64, eight times"


def test_more_epochs_may_follow_but_no_other_data(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.npz"
    train(NB, counts(), replace(SHORT, epochs=3), file)
    same(train(NB, counts(), SHORT, file), train(NB, counts(), SHORT))
    for data, settings in ((counts(500), SHORT), (counts(), replace(SHORT, seed=1))):
        with pytest.raises(DistfitError, match="other data or with other settings"):
            train(NB, data, settings, file)


def test_ctrl_c_says_where_the_state_is_and_how_to_go_on(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.npz"

    def stop(epoch: int, _: int, __: float) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as kept:
        train(NB, counts(), SHORT, file, stop)
    assert kept.value.problem == f"interrupted in epoch 3; the state is in {file}"
    assert kept.value.hint == "the same command goes on from there"
    with pytest.raises(Interrupted) as lost:
        train(NB, counts(), SHORT, None, stop)
    assert lost.value.problem == "interrupted in epoch 3: nothing is kept"
    assert "--checkpoint" in lost.value.hint


def test_a_damaged_checkpoint_is_named_with_what_to_do(tmp_path: Path) -> None:
    """A bit, a cut, arrays that are missing: never anything but a sentence."""
    file = tmp_path / "checkpoint.npz"
    settings = replace(SHORT, hidden=(3,), epochs=1)
    train(NB, counts(100), settings, file)
    whole = file.read_bytes()
    record, arrays = read(file, SCHEMA)
    for lost in ("weight/layers.0.bias", "best/layers.1.weight"):
        write(file, record, {name: value for name, value in arrays.items() if name != lost})
        with pytest.raises(DistfitError, match="to begin anew") as said:
            train(NB, counts(100), settings, file)
        assert said.value.problem.startswith(f"{file} is damaged")
    said: list[DistfitError] = []
    for place in np.random.default_rng(0).integers(0, len(whole), 30):
        for broken in (whole[:place], whole[:place] + bytes([whole[place] ^ 32]) + whole[place + 1 :]):
            file.write_bytes(broken)
            # A bit in what nobody reads does no harm.
            with suppress_into(said):
                train(NB, counts(100), settings, file)
    assert len(said) > 40
    assert all(error.problem.startswith(str(file)) for error in said)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_no_crafted_checkpoint_changes_the_end(tmp_path: Path, optimizer: str) -> None:
    """NaN, other types, shapes that broadcast, other numbers: each is refused, with its digest or one that fits."""
    craft(tmp_path / "checkpoint.npz", optimizer, 60)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_no_checkpoint_of_1000_changes_the_end(tmp_path: Path, optimizer: str) -> None:
    craft(tmp_path / "checkpoint.npz", optimizer, 1000)


def craft(file: Path, optimizer: str, times: int) -> None:
    settings = replace(SHORT, hidden=(3,), epochs=2, optimizer=optimizer)
    data = counts(60)
    train(NB, data, replace(settings, epochs=1), file)
    record, arrays = read(file, SCHEMA)
    whole, rng = train(NB, data, settings, file), np.random.default_rng(2)
    values = [None, True, "x", "\ud800", -1, 10**400, 1.5, math.nan, math.inf, [], [1.0], {}, [[[]]]]
    refused = 0
    for _ in range(times):
        changed, own = dict(arrays), json.loads(json.dumps(record))
        name = str(rng.choice(list(arrays)))
        kind = int(rng.integers(8))
        if kind == 0:
            changed[name] = np.full_like(arrays[name], rng.choice([np.nan, np.inf]))
        elif kind == 1:
            changed[name] = arrays[name].astype(rng.choice(["<f4", ">f8"]) if arrays[name].ndim else "<f8")
        elif kind == 2:
            changed[name] = arrays[name].reshape(-1)[:1]
        elif kind == 3:
            del changed[name]
        elif kind == 4:
            changed[f"{name}.more"] = arrays[name]
        elif kind == 5:
            changed[name] = np.float64(arrays[name])[None]
        else:
            holder = own["record"] if kind == 6 else own
            key = str(rng.choice([key for key in holder if key not in ("schema", "fingerprint", "steps")]))
            holder[key] = values[int(rng.integers(len(values)))]
            if holder == (record["record"] if kind == 6 else record):
                continue
        write(file, own, changed)
        before = file.read_bytes()
        try:
            end = train(NB, data, settings, file)
        except DistfitError as error:
            refused += 1
            said = error
            if not (str(said).startswith(f"{file} is ") and len(str(said).splitlines()) == 2):
                raise
            if file.read_bytes() != before:
                raise
            continue
        # What is no part of the state may be another: it was all taken, and led to the same end or was said.
        same(end, whole)
    assert refused > 0.7 * times


def test_a_checkpoint_whose_numbers_were_changed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.npz"
    settings = replace(SHORT, hidden=(3,), epochs=1)
    train(NB, counts(100), settings, file)
    with np.load(file) as opened:
        arrays = dict(opened)
    arrays["weight/layers.0.bias"] = arrays["weight/layers.0.bias"] * 1.001
    np.savez(file, **arrays)
    with pytest.raises(DistfitError, match="its digest is not that of its contents"):
        train(NB, counts(100), settings, file)


def test_a_checkpoint_of_other_responses_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.npz"
    train(NB, counts(100), SHORT, file)
    with pytest.raises(DistfitError, match="other data"):
        train(NB, replace(counts(100), y=counts(100).y[::-1] + 1.0), SHORT, file)


def test_a_checkpoint_is_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(DistfitError, match="no checkpoint"):
            train(NB, counts(100), SHORT, path)


@contextmanager
def suppress_into(said: list[DistfitError]) -> Iterator[None]:
    try:
        yield
    except DistfitError as error:
        said.append(error)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_checkpoint_is_refused_before_any_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    file = tmp_path / "checkpoint.npz"
    file.write_bytes(content)
    monkeypatch.setattr(
        "distfit_counts.regression.network.train.summarise", lambda *_: pytest.fail("a pass over the data")
    )
    with pytest.raises(DistfitError, match="no checkpoint"):
        train(NB, counts(), SHORT, file)
    assert file.read_bytes() == content


def test_the_first_prediction_is_near_the_fit_without_covariates() -> None:
    """Counts a thousand times larger begin just as well: no default initialisation to walk away from."""
    for scale in (1.0, 1000.0):
        data = counts(scale=scale)
        fit = train(NB, data, replace(SHORT, epochs=1, learning_rate=1e-12, validation=0.0))
        assert np.exp(fit.predictors(data.x)["mean"]) == pytest.approx(data.y.mean(), rel=0.15)
        moments = data.y.mean() ** 2 / (data.y.var() - data.y.mean())
        assert np.exp(fit.predictors(data.x)["size"]) == pytest.approx(moments, rel=0.15)


def test_an_offset_is_taken_off_the_start() -> None:
    """Exposures from 1 to 1000: the mean per unit of exposure is the constant."""
    data = counts()
    offset = np.linspace(0.0, np.log(1000.0), 600)
    exposed = replace(data, y=np.round(2.0 * np.exp(offset)), offset=offset)
    fit = train(CountModel.of(parse("poisson")), exposed, replace(SHORT, epochs=1, learning_rate=1e-12))
    assert np.exp(fit.predictors(data.x)["rate"]) == pytest.approx(2.0, rel=0.15)
    shifted = fit.predictors(data.x, offset)["rate"] - fit.predictors(data.x)["rate"]
    np.testing.assert_allclose(shifted, offset, atol=1e-12)


def test_training_stops_when_patience_is_spent_and_keeps_the_best() -> None:
    """Noise alone: nothing is to be learnt, the rest is learnt by heart."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 10))
    noise = Arrays(x, rng.normal(size=200), np.ones(200), None, tuple("abcdefghij"))
    settings = NetworkSettings((50,), "adam", 0.01, 32, epochs=200, validation=0.3, patience=5)
    fit = train(Gaussian(), noise, settings)
    path = fit.history.held_out
    assert fit.stopped_early
    assert fit.epochs == fit.best_epoch + 5 == len(path) - 1
    assert path[fit.best_epoch] == min(path)
    held = chosen(np.arange(200), settings.seed, 0.3)
    left = noise.y[held] - fit.predictors(x[held])["mean"]
    assert 0.5 * float((left**2).mean()) + 0.5 * np.log(2 * np.pi) == pytest.approx(min(path), abs=1e-12)
    assert "network.plateau" in [verdict.code for verdict in fit.verdicts]


def test_a_loss_that_leaves_the_finite_numbers_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.npz"
    settings = replace(SHORT, optimizer="sgd", learning_rate=1e4)
    with pytest.raises(DistfitError, match=r"the loss is (inf|nan) in epoch 1, step \d+.*\n.*learning-rate"):
        train(CountModel.of(parse("poisson")), counts(scale=50.0), settings, file)
    assert not file.exists()


def test_nothing_to_learn_from_is_an_error() -> None:
    data = counts()
    with pytest.raises(DataError, match="no covariate varies"):
        train(NB, replace(data, x=np.ones((600, 1)), names=("Intercept",)), SHORT)
    with pytest.raises(DataError, match="no row to train on"):
        train(NB, replace(data, weights=np.zeros(600)), SHORT)


def test_seeds_repeat_and_differ_and_leave_torch_alone() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = train(NB, counts(), SHORT)
    assert torch.equal(torch.random.get_rng_state(), before)
    same(train(NB, counts(), SHORT), first)
    assert train(NB, counts(), replace(SHORT, seed=1)).history.held_out != first.history.held_out


def test_a_weight_counts_as_rows_do() -> None:
    """Full batch: the same rows once with weight 3, or three times."""
    data = counts(100)
    settings = NetworkSettings((4,), batch_size=None, epochs=20, validation=0.0)
    thrice = Arrays(np.repeat(data.x, 3, axis=0), np.repeat(data.y, 3), np.ones(300), None, data.names)
    a, b = train(NB, replace(data, weights=np.full(100, 3.0)), settings), train(NB, thrice, settings)
    np.testing.assert_allclose(a.history.train, b.history.train, rtol=1e-10)


def test_a_fit_comes_back_from_json_bit_for_bit() -> None:
    fit = train(NB, counts(), SHORT)
    back = NetworkFit.from_json(json.loads(json.dumps(fit.to_json(), allow_nan=False)))
    same(back, fit)
    assert back.settings == replace(fit.settings, learning_rate=0.003), "the rate that was used"
    x = counts().x
    assert np.array_equal(back.predictors(x)["size"], fit.predictors(x)["size"])
    narrow = {name: packed(value[:, :1] if value.ndim == 2 else value) for name, value in fit.weights.items()}
    for broken, place in (
        ({"weights": {"layers.0.bias": 3}}, "weights.layers.0.bias: 3 where an object"),
        ({"weights": narrow}, "weights.layers.0.weight: has the shape"),
        ({"standard": fit.to_json()["standard"] | {"kept": [0, 1, 7]}}, "standard: is not that of its columns"),
        ({"settings": {"hidden": [8]}}, "weights: are not those of its layers"),
        ({"epochs": fit.epochs + 1}, "epochs"),
        ({"n": -1.0}, "n: -1.0 does not lie between 0 and inf"),
    ):
        with pytest.raises(Damaged, match=re.escape(place)):
            NetworkFit.from_json(json.loads(json.dumps(fit.to_json() | broken)))


def test_the_split_is_a_fair_draw_of_the_row_numbers() -> None:
    rows = np.arange(100_000)
    for seed in (0, 1):
        held = chosen(rows, seed, 0.1)
        # Binomial(100,000, 0.1): standard deviation 95.
        assert abs(int(held.sum()) - 10_000) < 400
        assert np.array_equal(held[500:600], chosen(rows[500:600], seed, 0.1))
        pairs = int((held[1:] & held[:-1]).sum())
        assert abs(pairs - 1000) < 130
    assert np.mean(chosen(rows, 0, 0.1) & chosen(rows, 1, 0.1)) == pytest.approx(0.01, abs=0.0015)
