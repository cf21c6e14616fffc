"""Parquet files as a stream: the same rows, levels and splits as in memory."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from distfit_counts.errors import DataError, DistfitError
from distfit_counts.families.spec import parse as family
from distfit_counts.regression.design import design
from distfit_counts.regression.formula import parse
from distfit_counts.regression.network import feed
from distfit_counts.regression.network.block import Arrays, Block
from distfit_counts.regression.network.parquet import ParquetRows, inputs
from distfit_counts.regression.network.prefetch import prefetched
from distfit_counts.regression.network.row_groups import distinct
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.network.summary import summarise
from distfit_counts.regression.network.train import train
from distfit_counts.regression.responses import row_model
from distfit_counts.regression.row_model import CountModel

NB = CountModel.of(family("nb"))
TERMS = parse("y ~ a + C(g) + bs(b, df=4)", NB.roles, "nb")


def frame(n: int = 2000) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    made = pd.DataFrame({"a": rng.normal(size=n), "b": rng.uniform(size=n) ** 3, "g": "u", "e": rng.uniform(1, 9, n)})
    # Levels that the first row groups have not, and one that a single row has.
    made.loc[n // 2 :, "g"] = "v"
    made.loc[n - 1, "g"] = "a"
    made["y"] = rng.poisson(made["e"] * np.exp(made["a"] - made["b"]))
    made.loc[[3, 1500], "a"] = np.nan
    return made


def written(folder: Path, data: pd.DataFrame) -> list[Path]:
    """Two files, of several row groups each."""
    half = len(data) // 2 + 100
    paths = [folder / "one.parquet", folder / "two.parquet"]
    for path, part in zip(paths, (data[:half], data[half:]), strict=True):
        part.to_parquet(path, row_group_size=300, index=False)
    return paths


def joined(source: ParquetRows, order: np.random.Generator | None = None) -> Block:
    return Block.join(list(source.blocks(order)))


def test_the_stream_holds_what_the_frame_holds(tmp_path: Path) -> None:
    data = frame()
    source = ParquetRows.of(written(tmp_path, data), TERMS, NB, exposure="e")
    whole = joined(source)
    made = design(TERMS, data, NB.roles, exposure="e")
    assert (source.n_rows, source.n_missing) == (2000, 2)
    assert np.array_equal(whole.rows, made.rows)
    assert np.array_equal(whole.y, made.y)
    np.testing.assert_allclose(whole.x, inputs(source.terms, data.loc[made.rows], made.rows), atol=0.0)
    # All rows fit the sample here: knots, bounds and levels are those of the whole, too.
    np.testing.assert_allclose(whole.x, made.predictors[0].matrix, atol=1e-12)
    assert whole.offset is not None
    np.testing.assert_allclose(whole.offset, np.log(data.loc[made.rows, "e"]), atol=0.0)
    assert "C(g)[T.u]" in source.names
    assert "C(g)[T.v]" in source.names


def test_a_rare_level_and_the_bounds_are_in_the_sample_of_many_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("distfit_counts.regression.network.survey._SAMPLE", 50)
    source = ParquetRows.of(written(tmp_path, frame()), TERMS, NB)
    assert "C(g)[T.u]" in source.names
    assert len(joined(source).y) == 1998, "no row lies beyond the splines' bounds"


def test_an_epoch_has_every_training_row_once_in_another_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "SHUFFLED_ROWS", 256)
    source = ParquetRows.of(written(tmp_path, frame()), TERMS, NB)
    settings = NetworkSettings(batch_size=64)
    summary = summarise(source, settings)
    held = set(summary.judged.rows.tolist())
    whole = joined(source)
    expected = np.sort(summary.standard(whole.x[[row not in held for row in whole.rows.tolist()]])[:, 0])
    made = feed.Feed(source, settings, summary)
    orders = []
    for epoch in (0, 1, 0):
        batches = list(made.epoch(epoch))
        assert {len(batch.y) for batch in batches[:-1]} == {64}
        orders.append(np.concatenate([batch.x[:, 0].numpy() for batch in batches]))
        assert np.array_equal(np.sort(orders[-1]), expected)
    assert np.array_equal(orders[0], orders[2])
    assert not np.array_equal(orders[0], orders[1])
    assert not np.array_equal(np.sort(orders[0][:256]), np.sort(orders[1][:256])), "row groups in another order"


def test_stream_and_memory_hold_out_the_same_rows_and_learn_the_same(tmp_path: Path) -> None:
    data = frame().dropna().reset_index(drop=True)
    made = design(TERMS, data, NB.roles, exposure="e")
    stream = ParquetRows.of(written(tmp_path, data), TERMS, NB, exposure="e")
    settings = NetworkSettings((8, 5), batch_size=64, epochs=5)
    a, b = train(NB, Arrays.of(made), settings), train(NB, stream, settings)
    np.testing.assert_allclose(a.standard.mean, b.standard.mean, rtol=1e-12)
    assert a.history.held_out[0] == pytest.approx(b.history.held_out[0], rel=1e-12)
    assert a.checkup.log_score == pytest.approx(b.checkup.log_score, abs=0.02)
    assert a.n_held_out == b.n_held_out


def test_a_stream_that_is_interrupted_goes_on(tmp_path: Path) -> None:
    source = ParquetRows.of(written(tmp_path, frame()), TERMS, NB)
    settings = NetworkSettings((5,), batch_size=64, epochs=4)

    def stop(epoch: int, _: int, __: float) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    file = tmp_path / "checkpoint.npz"
    with pytest.raises(KeyboardInterrupt):
        train(NB, source, settings, file, stop)
    assert train(NB, source, settings, file).history == train(NB, source, settings).history


def test_what_a_stream_cannot_do(tmp_path: Path) -> None:
    data = frame()
    paths = written(tmp_path, data)
    with pytest.raises(DataError, match='no column "zz"'):
        ParquetRows.of(paths, parse("y ~ zz", NB.roles, "nb"), NB)
    with pytest.raises(DistfitError, match="never there as a whole"):
        train(NB, ParquetRows.of(paths, TERMS, NB), NetworkSettings(batch_size=None))
    data["y"] = data["y"].astype(float)
    data.loc[1700, "y"] = 2.5
    with pytest.raises(DataError, match=r'row 1701, column "y": 2.5 is no count'):
        joined(ParquetRows.of(written(tmp_path, data), TERMS, NB))
    (tmp_path / "one.parquet").write_bytes(b"nonsense")
    with pytest.raises(DataError, match="cannot read"):
        ParquetRows.of(paths, TERMS, NB)


def test_the_second_thread_hands_on_errors_and_ends_when_nobody_listens() -> None:
    def three() -> object:
        yield from (1, 2)
        raise ValueError("third")

    items = prefetched(three)  # type: ignore[arg-type]
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="third"):
        next(items)
    left = prefetched(lambda: iter(range(1, 1000)))
    assert next(left) == 1
    left.close()
    assert "prefetch" not in [thread.name for thread in threading.enumerate()]


def test_weights_of_zero_are_no_rows(tmp_path: Path) -> None:
    data = frame().assign(w=1.0)
    data.loc[:99, "w"] = 0.0
    source = ParquetRows.of(written(tmp_path, data), TERMS, NB, weights="w")
    assert joined(source).rows.min() == 100
    data.loc[7, "w"] = -1.0
    with pytest.raises(DataError, match=r'row 8, column "w": -1'):
        joined(replace(source, groups=ParquetRows.of(written(tmp_path, data), TERMS, NB, weights="w").groups))


@pytest.mark.parametrize(("spec", "labels"), [("bernoulli", ["no", "yes"]), ("categorical", [3, 1, 2])])
def test_levels_of_a_response_are_coded_as_in_memory(tmp_path: Path, spec: str, labels: list[object]) -> None:
    data = frame().assign(y=lambda made: [labels[i % len(labels)] for i in range(len(made))])
    paths = written(tmp_path, data)
    model, codes = row_model(spec, {}, data["y"])
    assert row_model(spec, {}, distinct(paths, "y"))[0] == model
    source = ParquetRows.of(paths, parse("y ~ a", model.roles, spec), model)
    whole = joined(source)
    assert np.array_equal(whole.y, codes[whole.rows])
    with pytest.raises(DataError, match=r'row 1, column "y": maybe is no level'):
        ParquetRows.of(written(tmp_path, data.assign(y="maybe")), parse("y ~ a", model.roles, spec), model)
