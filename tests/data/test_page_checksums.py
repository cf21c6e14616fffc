"""Parquet whose pages carry checksums: a flipped bit in a page is never another count, wherever Parquet is read."""

from __future__ import annotations

import ast
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import distfit_counts
from distfit_counts.data.files import read_source
from distfit_counts.data.frames import read_frame
from distfit_counts.errors import DataError
from distfit_counts.regression.network.row_groups import distinct, frames, row_groups

PACKAGE = Path(distfit_counts.__file__).parent


def _table() -> pa.Table:
    rng = np.random.default_rng(1)
    y = rng.negative_binomial(1.5, 0.2, 3000).astype(np.int32)
    return pa.table({"y": y, "x": rng.normal(size=3000), "g": pd.Series(rng.choice(["a", "b", "c"], 3000))})


def _histogram() -> pa.Table:
    values = np.arange(1000)
    return pa.table({"column": ["y"] * 1000, "value": values, "count": values[::-1] + 1})


# Bytes of a page's header at most, which no checksum covers.
_HEADER = 200


def _pages(path: Path) -> list[tuple[int, int]]:
    """First and last byte of what every page holds: each chunk has one page of data, and may have a dictionary."""
    found = []
    meta = pq.read_metadata(path)
    for group in range(meta.num_row_groups):
        for i in range(meta.num_columns):
            chunk = meta.row_group(group).column(i)
            first, data = chunk.dictionary_page_offset or chunk.data_page_offset, chunk.data_page_offset
            found += [(first + _HEADER, data), (data + _HEADER, first + chunk.total_compressed_size)]
    return [(first, end) for first, end in found if first < end]


def _flipped(path: Path, table: pa.Table, rng: random.Random, **options: Any) -> Path:
    pq.write_table(table, path, write_page_checksum=True, **options)
    content = bytearray(path.read_bytes())
    first, end = rng.choice(_pages(path))
    content[rng.randrange(first, end)] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    return path


def _counts(path: Path) -> object:
    return read_source(str(path), ["y"], ["g", "x"])


def _folder(path: Path) -> object:
    pq.write_table(_table(), path.with_name("whole.parquet"))
    return read_source(str(path.parent), ["y"], ["g", "x"])


def _covariates(path: Path) -> object:
    return read_frame([str(path)], {"y": "count", "x": None, "g": None})


def _network(path: Path) -> object:
    return [list(frames(group, ["y", "x", "g"], 1000)) for group in row_groups([path])]


READERS = {"counts": _counts, "folder": _folder, "covariates": _covariates, "network": _network}
FORMS: dict[str, dict[str, Any]] = {
    "plain": {"use_dictionary": False, "compression": "none"},
    "dictionary": {"compression": "none", "row_group_size": 1000},
    "snappy": {"compression": "snappy"},
    "v2": {"data_page_version": "2.0", "compression": "zstd"},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reader", READERS)
def test_a_flipped_bit_is_refused(tmp_path: Path, reader: str, form: str) -> None:
    rng = random.Random(f"{reader} {form}")
    for _ in range(8):
        path = _flipped(tmp_path / "t.parquet", _table(), rng, **FORMS[form])
        with pytest.raises(DataError, match=r"t\.parquet") as caught:
            READERS[reader](path)
        assert "\n" not in caught.value.problem


@pytest.mark.parametrize("form", FORMS)
def test_a_flipped_bit_of_a_histogram_is_refused(tmp_path: Path, form: str) -> None:
    rng = random.Random(form)
    for _ in range(8):
        path = _flipped(tmp_path / "h.parquet", _histogram(), rng, **FORMS[form])
        with pytest.raises(DataError, match=r"h\.parquet: damaged"):
            read_source(str(path))


def test_levels_that_a_network_looks_up_are_checked_too(tmp_path: Path) -> None:
    path = _flipped(tmp_path / "t.parquet", _table().select(["g"]), random.Random(1), use_dictionary=False)
    with pytest.raises(DataError, match=r"t\.parquet"):
        distinct([path], "g")


def test_whole_files_with_checksums_are_read(tmp_path: Path) -> None:
    pq.write_table(_table(), tmp_path / "sums.parquet", write_page_checksum=True)
    pq.write_table(_table(), tmp_path / "none.parquet")
    sums, none = (read_source(str(tmp_path / name), ["y"])[0].histogram for name in ("sums.parquet", "none.parquet"))
    assert sums.same(none)


def test_parquet_is_opened_in_one_place() -> None:
    """pyarrow leaves checksums alone unless it is told: whoever opened a file elsewhere would forget it."""
    openers = {"ParquetFile", "ParquetDataset", "read_table", "read_pandas", "dataset", "read_parquet"}
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom | ast.Import):
                names = {alias.name.rsplit(".", 1)[-1] for alias in node.names}
                own = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("distfit_counts")
                found += [path.name] if not own and names & openers else []
            elif isinstance(node, ast.Attribute) and node.attr in {"ParquetFile", "ParquetDataset"}:
                found.append(path.name)
    assert found == ["columnar.py"]
