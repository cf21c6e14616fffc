"""One table, written in every way that can be read."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

Rows = dict[str, list[object]]


def as_text(table: Rows, delimiter: str = ",", end: str = "\n", header: bool = True) -> str:
    def field(value: object) -> str:
        text = "" if value is None else str(value)
        return '"' + text.replace('"', '""') + '"' if any(c in text for c in (delimiter, '"', "\n", "\r")) else text

    rows = [list(table)] if header else []
    rows += [list(row) for row in zip(*table.values(), strict=True)]
    return "".join(delimiter.join(map(field, row)) + end for row in rows)


def as_json(table: Rows) -> str:
    rows = zip(*table.values(), strict=True)
    return "".join(json.dumps(dict(zip(table, row, strict=True))) + "\n" for row in rows)


def write_zstd(path: Path, data: bytes) -> None:
    with pa.CompressedOutputStream(str(path), "zstd") as out:
        out.write(data)


def write_stream(path: Path, table: pa.Table) -> None:
    with pa.ipc.new_stream(str(path), table.schema) as out:
        out.write_table(table, max_chunksize=3)


def write_ipc(path: Path, table: pa.Table) -> None:
    with pa.ipc.new_file(str(path), table.schema) as out:
        out.write_table(table, max_chunksize=3)


WRITERS: dict[str, Callable[[Path, Rows], object]] = {
    "a.csv": lambda path, t: path.write_bytes(as_text(t).encode()),
    "bom.csv": lambda path, t: path.write_bytes(b"\xef\xbb\xbf" + as_text(t).encode()),
    "crlf.csv": lambda path, t: path.write_bytes(as_text(t, end="\r\n").encode()),
    "mac.csv": lambda path, t: path.write_bytes(as_text(t, end="\r").encode()),
    "semicolon.csv": lambda path, t: path.write_bytes(as_text(t, ";").encode()),
    "pipe.txt": lambda path, t: path.write_bytes(as_text(t, "|").encode()),
    "a.tsv": lambda path, t: path.write_bytes(as_text(t, "\t").encode()),
    "no_extension": lambda path, t: path.write_bytes(as_text(t).encode()),
    "a.csv.gz": lambda path, t: path.write_bytes(gzip.compress(as_text(t).encode())),
    "two_members.csv.gz": lambda path, t: path.write_bytes(
        gzip.compress(as_text(t).encode()[:9]) + gzip.compress(as_text(t).encode()[9:])
    ),
    "really_gzip.csv": lambda path, t: path.write_bytes(gzip.compress(as_text(t).encode())),
    "a.csv.zst": lambda path, t: write_zstd(path, as_text(t).encode()),
    "a.csv.bz2": lambda path, t: path.write_bytes(bz2.compress(as_text(t).encode())),
    "a.jsonl": lambda path, t: path.write_text(as_json(t)),
    "a.json": lambda path, t: path.write_text(as_json(t)),
    "json_lines_by_content": lambda path, t: path.write_text(as_json(t)),
    "a.ndjson.gz": lambda path, t: path.write_bytes(gzip.compress(as_json(t).encode())),
    "a.parquet": lambda path, t: pq.write_table(pa.table(t), path, row_group_size=4),
    "parquet_by_content": lambda path, t: pq.write_table(pa.table(t), path),
    "a.arrow": lambda path, t: write_ipc(path, pa.table(t)),
    "a.ipc": lambda path, t: write_stream(path, pa.table(t)),
    "a.feather": lambda path, t: feather.write_feather(pa.table(t), str(path)),
    "feather_by_content": lambda path, t: feather.write_feather(pa.table(t), str(path)),
}


@pytest.fixture(params=list(WRITERS))
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Rows], Path]:
    """Writes a table in one of the ways, a test per way."""

    def write(table: Rows) -> Path:
        path: Path = tmp_path / request.param
        WRITERS[request.param](path, table)
        return path

    return write


@pytest.fixture
def text_file(tmp_path: Path) -> Callable[..., str]:
    """Writes text or bytes to a file and gives its path."""

    def write(content: str | bytes, name: str = "counts.csv") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write
