"""Files that were damaged at random: the same counts as a strict reader has, or a refusal by both, and no traceback."""

from __future__ import annotations

import gzip
import random
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from distfit_counts.data import csv_block, json_lines
from distfit_counts.data.files import read_source
from distfit_counts.data.request import BLOCK_SIZE
from distfit_counts.errors import DataError
from tests.data.strict_reader import Counts, Refused, read_delimited, read_json

_TOKENS = [
    b'"', b'""', b"\r", b"\n", b"\r\n", b"\n\n\n", b"\r\n\r\n", b",", b";", b"\t", b" ", b"-", b"+", b".", b".0", b"e1",
    b"e-1", b"1e-330", b"0x1", b"NA", b"null", b"4.99999999999999999999999", b"9007199254740993", b"0" * 20, b"\xff",
    b"\xc3\xa9", b"\x00", b"1_0", b"1.000", b"0,5", b"{", b"}", b"[", b"]", b":", b'"y"', b'"y": 3,', b"\\", b"\\ud800",
    b"true", b"NaN", b"#", b"\xef\xbb\xbf",
]  # fmt: skip
# What distfit refuses though it may be read one way: it asks which.
_ASKS = (
    "may be a header or data",
    "the first row holds only numbers",
    " may be ",
    "columns are named",
    "no column",
    "spans",
    "is the total",
    "no value with a weight",
    "only missing values",
    "weights add up",
    "the header is not valid UTF-8",
    "a binary file",
    "UTF-16",
    "nested",
    "half a character",
    "is not valid UTF-8",
    "JSON array",
    "cannot be read",
)
Make = Callable[[random.Random], bytes]


def _value(rng: random.Random) -> str:
    number = int(rng.expovariate(0.2))
    kinds = [f"{number}"] * 8 + [f"{number}.0", f" {number}", f'"{number}"', "NA", "", f"{number}e0", f"+{number}"]
    return rng.choice(kinds)


def _label(rng: random.Random, delimiter: str) -> str:
    return rng.choice(
        ["a", "b c", "é", '5" pipe', f'"x{delimiter}y"', '"two\nlines"', '"say ""no"""', '"cr\rcell"', ""]
    )


def delimited(delimiter: str) -> Make:
    def make(rng: random.Random) -> bytes:
        end = rng.choice(["\n", "\n", "\r\n", "\r"])
        rows = [delimiter.join(["name", "y", "other"])]
        plain = rng.random() < 0.5
        for _ in range(rng.randint(1, 40)):
            values = [str(int(rng.expovariate(0.2))) if plain else _value(rng) for _ in range(2)]
            rows.append(delimiter.join(["a" if plain else _label(rng, delimiter), *values]))
        return (end.join(rows) + rng.choice([end, ""])).encode()

    return make


def single(rng: random.Random) -> bytes:
    end = rng.choice(["\n", "\r\n"])
    return end.join(["y", *(_value(rng).replace("NA", "") for _ in range(rng.randint(1, 40)))]).encode()


def frequencies(rng: random.Random) -> bytes:
    rows = ["k,times", *(f"{k},{rng.randint(0, 50)}" for k in range(rng.randint(2, 30)))]
    return "\n".join([*rows, ""]).encode()


def json_rows(rng: random.Random) -> bytes:
    def row() -> str:
        value = (
            rng.choice(["1", "0", "17", "3.0", '"4"', "null", "1e1"]) if rng.random() < 0.3 else str(rng.randint(0, 9))
        )
        return rng.choice(
            [f'{{"y": {value}}}', f'{{"name": "é", "y": {value}}}', f'{{"y":{value},"z":[{{"y": 7}}]}}', '{"name": ""}']
        )

    return "\n".join([f'{{"y": {rng.randint(0, 9)}}}', *(row() for _ in range(rng.randint(1, 40))), ""]).encode()


def mutated(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice([1, 1, 1, 2, 3, 5])):
        at, to = sorted(rng.randint(0, len(data)) for _ in range(2))
        kind = rng.randrange(6)
        if kind == 0 and data:
            at = rng.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at] + data[min(to, at + rng.randint(1, 8)) :]
        elif kind == 2:
            data = data[:to] + data[at : at + rng.randint(1, 60)] + data[to:]
        else:
            data = data[:at] + rng.choice(_TOKENS) + data[at:]
    return data


def ours(path: Path, column: str, weights: str | None, block_size: int) -> Counts:
    (found,) = read_source(str(path), [column], weights=weights, block_size=block_size)
    histogram = found.histogram
    counts = Counter(dict(zip(histogram.values.tolist(), histogram.weights.tolist(), strict=True)))
    return +counts, histogram.n_missing


KINDS: dict[str, tuple[Make, str, Callable[[bytes], Counts], str | None]] = {
    "a.csv": (delimited(","), "y", lambda data: read_delimited(data, b",", "y"), None),
    "a.tsv": (delimited("\t"), "y", lambda data: read_delimited(data, b"\t", "y"), None),
    "semicolon.csv": (delimited(";"), "y", lambda data: read_delimited(data, b";", "y"), None),
    "single.csv": (single, "y", lambda data: read_delimited(data, b"\x1f", "y"), None),
    "frequencies.csv": (frequencies, "k", lambda data: read_delimited(data, b",", "k", "times"), "times"),
    "a.jsonl": (json_rows, "y", lambda data: read_json(data, "y"), None),
    "a.csv.gz": (delimited(","), "y", lambda data: read_delimited(data, b",", "y"), None),
    "a.jsonl.zst": (json_rows, "y", lambda data: read_json(data, "y"), None),
}


def outcome(read: Callable[..., Counts], *arguments: object) -> Counts | str:
    """The counts, or why they are refused."""
    try:
        return read(*arguments)
    except Refused as error:
        return str(error)
    except DataError as error:
        return error.problem


def compare(folder: Path, kind: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """One damaged file: "read" or "refused", or the reason why it was asked about. Fails where readers disagree."""
    rng = random.Random(f"{kind} {seed}")
    make, column, strict, weights = KINDS[kind]
    data = make(rng)
    if rng.random() < 0.95:
        data = mutated(data, rng)
    path = folder / kind
    packed = gzip.compress(data, mtime=0) if kind.endswith(".gz") else data
    if kind.endswith(".zst"):
        packed = pa.Codec("zstd").compress(data).to_pybytes()
    path.write_bytes(packed)
    block_size = rng.choice([1, 2, 3, 5, 8, 13, 21, 64, 200, BLOCK_SIZE])
    for module, usual in ((csv_block, 1 << 19), (json_lines, 1 << 20)):
        monkeypatch.setattr(module, "_PIECE", rng.choice([8, 16, 40, usual]))
    monkeypatch.setattr(csv_block, "_PIECES", rng.choice([1, 8]))
    expected, found = outcome(strict, data), outcome(ours, path, column, weights, block_size)
    shown = f"{kind} {seed}, blocks of {block_size}: {found} and {expected} in {data!r}"
    if not isinstance(found, str):
        assert found == expected, shown
        return "read"
    assert "\n" not in found, shown
    if isinstance(expected, str):
        return "refused"
    reason = next((reason for reason in _ASKS if reason in found), None)
    assert reason is not None, shown
    return reason


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_damaged_files(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Counter(compare(tmp_path, kind, seed, monkeypatch) for seed in range(60))
    assert seen["read"] > 5
    assert seen["refused"] > 5


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_five_thousand_damaged_files(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Counter(compare(tmp_path, kind, seed, monkeypatch) for seed in range(5_000))
    assert seen["read"] > 500
    assert seen["refused"] > 1_000


@pytest.mark.slow
def test_damaged_gzip_is_refused_or_the_same(tmp_path: Path) -> None:
    rng = random.Random(1)
    data = delimited(",")(rng)
    expected = read_delimited(data, b",", "y")
    whole = gzip.compress(data, mtime=0)
    assert zlib.crc32(data).to_bytes(4, "little") == whole[-8:-4]
    path = tmp_path / "a.csv.gz"
    for at in range(len(whole)):
        for bit in range(8):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
            found = outcome(ours, path, "y", None, BLOCK_SIZE)
            assert found == expected or isinstance(found, str)
