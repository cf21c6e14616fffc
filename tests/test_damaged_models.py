"""Saved models that are damaged or crafted: one sentence and exit code 2, or what was saved. Never a traceback."""

from __future__ import annotations

import copy
import json
import math
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from distfit_counts import fit, regress
from distfit_counts.cli import app
from distfit_counts.errors import DistfitError
from distfit_counts.model_file import load
from distfit_counts.regression.model_file import load_whole
from distfit_counts.saved import sealed

COUNTS = [0] * 40 + [1] * 20 + [2] * 9 + [3] * 6 + [5] * 3 + [9]
# What is put in the place of a value.
HOSTILE: tuple[Any, ...] = (
    *(None, True, False, "", "abc", "infinity", "\ud800", "\x1b[2J", "10**9*poisson", "nb", "zi(" * 5000 + "nb"),
    *(-1, 0, 1, 2, 10**6, 2**53 + 1, 2**63, 10**400, -(10**400), 0.5, -0.5, 1e-320, 1e308, -1e308, 1e-5),
    *([], {}, [[]], [0], ["a"], {"a": 1}, [[1.0, 2.0], [3.0]]),
)


def rows() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x, group = rng.normal(size=120), rng.choice(list("abc"), 120)
    y = rng.poisson(np.exp(0.4 + 0.4 * x + (group == "b")))
    return pd.DataFrame({"y": np.where(rng.random(120) < 0.3, 0, y), "x": x, "g": group})


def models(folder: Path) -> Iterator[tuple[str, Path]]:
    for name, family in (("zinb", "zinb"), ("mixture", "2*poisson"), ("limit", "nb")):
        fit(COUNTS if name != "limit" else [0, 1, 1, 1, 1, 2], family, restarts=2).save(folder / f"{name}.json")
        yield name, folder / f"{name}.json"
    for name, formula, family in (("linear", "y ~ poly(x, 2) + g | x", "zip"), ("normal", "x ~ g", "gaussian")):
        regress(rows(), formula, family).save(folder / f"{name}.json")
        yield name, folder / f"{name}.json"
    rows().to_csv(folder / "rows.csv", index=False)
    arguments = ["regress", folder / "rows.csv", "y ~ x + g", "-f", "nb", "--hidden", "3", "--epochs", "3"]
    done = CliRunner().invoke(app, [*map(str, arguments), "--save", str(folder / "network.json")])
    assert done.exit_code == 0
    yield "network", folder / "network.json"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return dict(models(tmp_path_factory.mktemp("models")))


def shown(path: Path) -> str:
    """All that is made of a model: the report as text and as JSON, and what a regression predicts."""
    made = []
    for format in ("table", "json"):
        made.append(CliRunner().invoke(app, ["show", str(path), "-v", "--format", format], catch_exceptions=False))
    if "regression" in path.read_text()[:40]:
        made.append(CliRunner().invoke(app, ["predict", str(path), str(path.parent / "rows.csv"), "-q"]))
    for done in made:
        assert done.exit_code in (0, 2), (done.output, done.exception)
    if any(done.exit_code == 2 for done in made):
        said = [done.stderr for done in made if done.exit_code == 2]
        assert all(text.startswith("distfit: ") and len(text.splitlines()) <= 2 for text in said), said
        return ""
    return "".join(done.output for done in made)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    if isinstance(value, dict | list):
        for key, own in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(own, (*at, key))


def changed(record: Any, rng: random.Random) -> Any:
    """``record`` with one value replaced, moved a little, taken out, or another one put beside it."""
    found = copy.deepcopy(record)
    *way, last = rng.choice([place for place in places(record) if place])
    holder = found
    for key in way:
        holder = holder[key]
    value = holder[last]
    kind = rng.choice(["hostile", "hostile", "near", "out", "beside"])
    if kind == "near" and isinstance(value, int | float) and not isinstance(value, bool):
        holder[last] = value * 1.001 if isinstance(value, float) and value else value + 1
    elif kind == "near" and isinstance(value, str) and value:
        holder[last] = value[:-1] + chr(ord(value[-1]) ^ 1)
    elif kind == "out":
        del holder[last]
    elif kind == "beside":
        holder |= {"unknown": 1} if isinstance(holder, dict) else {}
        holder += [value] if isinstance(holder, list) else []
    else:
        holder[last] = rng.choice(HOSTILE)
    return found


def without_digests(record: Any) -> Any:
    if "fits" in record:
        return record | {"fits": [without_digests(own) for own in record["fits"]]}
    return {name: own for name, own in record.items() if name != "digest"}


def resealed(record: Any) -> Any:
    bare = without_digests(record)
    return record | {"fits": [sealed(own) for own in bare["fits"]]} if "fits" in bare else sealed(bare)


def read(path: Path) -> None:
    (load_whole if "regression_model" in path.read_text()[:60] else load)(path)


def fuzz(path: Path, rng: random.Random, times: int, craft: Callable[[Any], Any] | None, whole: str) -> int:
    """How many of so many changes were refused; each of the others is shown as ``whole`` if there is no ``craft``."""
    record, refused = json.loads(path.read_text()), 0
    place = path.parent / "changed.json"
    for _ in range(times):
        try:
            other = changed(record, rng)
            text = json.dumps(craft(other) if craft is not None else other)
        except (ValueError, TypeError, AttributeError, KeyError):
            continue  # what it is crafted from is no longer there
        place.write_text(text)
        said: DistfitError | None = None
        try:
            read(place)
        except DistfitError as error:
            said = error
        if said is not None:
            refused += 1
            assert str(place) in said.problem
            assert len(str(said).splitlines()) <= 2
            continue
        found = shown(place)
        if craft is None:
            assert found.replace(str(place), str(path)) == whole, text
    return refused


NAMES = ("zinb", "mixture", "limit", "linear", "normal", "network")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_saved_is_read_with_and_without_its_digest(saved: dict[str, Path], name: str) -> None:
    record = json.loads(saved[name].read_text())
    whole = shown(saved[name])
    assert whole
    bare = saved[name].parent / "bare.json"
    bare.write_text(json.dumps(without_digests(record), indent=1))
    assert shown(bare) == whole


@pytest.mark.parametrize("name", NAMES)
def test_no_change_is_silent(saved: dict[str, Path], name: str) -> None:
    assert fuzz(saved[name], random.Random(1), 60, None, shown(saved[name])) > 30


@pytest.mark.parametrize("name", NAMES)
def test_no_crafted_model_ends_in_a_traceback(saved: dict[str, Path], name: str) -> None:
    for craft in (without_digests, resealed):
        fuzz(saved[name], random.Random(2), 8, craft, "")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_change_of_3000_is_silent_and_no_crafted_model_is_a_traceback(saved: dict[str, Path], name: str) -> None:
    fuzz(saved[name], random.Random(3), 500, None, shown(saved[name]))
    fuzz(saved[name], random.Random(4), 40, without_digests, "")
    fuzz(saved[name], random.Random(5), 40, resealed, "")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"status": "converged"', '"status": ' + "[" * 20_000 + "]" * 20_000, "nested too deep"),
        ('"seed": 0', '"seed": ' + "1" * 401, "fits[0].seed: a number beyond 64 bits where a whole number is written"),
        ('"seed": 0', '"seed": ' + "1" * 5000, "not JSON"),
        ('"seed": 0', '"seed": NaN', "NaN is no number of JSON"),
        ('"seed": 0', '"seed": 1e999', "fits[0].seed: inf where a whole number is written"),
        ('"seed": 0', '"seed": 0, "seed": 0', "'seed' stands twice in one object"),
        ('"seed": 0', '"seed": "\\ud800"', "fits[0].seed"),
        ('"seed": 0', '"seed": 1', "fits[0].digest: what is written there was changed since"),
        ('"source": "data"', '"source": "\\ud800"', "fits[0].source: '\\ud800' where text without half"),
        ('"basin": 1', '"basin": "first"', "fits[0].restarts[0].basin: 'first' where a whole number is written"),
    ],
)
def test_the_sentence_says_what_is_wrong_where(saved: dict[str, Path], old: str, new: str, said: str) -> None:
    path = saved["zinb"].parent / "one.json"
    text = saved["zinb"].read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    done = CliRunner().invoke(app, ["show", str(path)], catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"distfit: {path} is ")
    assert said in done.stderr


def test_a_log_likelihood_that_the_parameters_do_not_reach(saved: dict[str, Path]) -> None:
    record = json.loads(saved["zinb"].read_text())
    (own,) = record["fits"]
    del own["digest"]
    own["log_likelihood"] += 1.0
    for name, times in (("aic", -2.0), ("aicc", -2.0), ("bic", -2.0), ("nll_per_observation", -1.0 / len(COUNTS))):
        own[name] += times
    path = saved["zinb"].parent / "higher.json"
    path.write_text(json.dumps(record))
    with pytest.raises(DistfitError, match=r"fits\[0\].log_likelihood: .* does not follow from the parameters"):
        load(path)
    own["derived"]["variance"] = math.nan
    path.write_text(json.dumps(record))
    with pytest.raises(DistfitError, match="NaN is no number of JSON"):
        load(path)


def test_what_never_ends_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, said in (
        (tmp_path / "pipe", "it is a device or a pipe"),
        (Path("/dev/zero"), "it is a device or a pipe"),
        (tmp_path, "it is a directory"),
    ):
        done = CliRunner().invoke(app, ["show", str(path)], catch_exceptions=False)
        assert (done.exit_code, done.stdout) == (2, "")
        assert said in done.stderr
    with open(tmp_path / "huge.json", "wb") as file:
        file.truncate(2**40)
    done = CliRunner().invoke(app, ["show", str(tmp_path / "huge.json")], catch_exceptions=False)
    assert done.exit_code == 2
    assert "huge.json: its contents take" in done.stderr


def test_a_source_whose_name_is_no_text_comes_back(tmp_path: Path) -> None:
    path = os.fsdecode(os.path.join(os.fsencode(tmp_path), b"caf\xe9.csv"))
    with open(path, "w") as file:
        file.write("y\n" + "0\n1\n2\n" * 10)
    model = str(tmp_path / "model.json")
    assert CliRunner().invoke(app, ["fit", path, "-f", "poisson", "--save", model]).exit_code == 0
    assert load(model)[0].source == path
