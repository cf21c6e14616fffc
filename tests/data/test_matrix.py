"""Matrix Market and AnnData: however a matrix is stored, its histograms are those of the dense matrix."""

from __future__ import annotations

import builtins
import contextlib
import gzip
import io
import random
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import scipy.io
import scipy.sparse as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from distfit_counts.data.column import Column
from distfit_counts.data.files import read_source, read_sources
from distfit_counts.data.locate import EXTENSIONS
from distfit_counts.data.matrix.names import no_such, unique
from distfit_counts.data.request import Request
from distfit_counts.errors import DataError

TextFile = Callable[..., str]
Dense = np.ndarray[tuple[int, int], np.dtype[Any]]
BANNER = "%%MatrixMarket matrix coordinate integer general\n"
SMALL = np.array([[0, 3, 0, 1], [2, 0, 0, 0], [0, 3, 0, 7]])

# Files ------------------------------------------------------------------------------------------------------


def market(dense: Any, field: str = "integer", symmetry: str = "general", order: Sequence[int] | None = None) -> bytes:
    """The coordinates of what is not zero, in the given order (default: column after column)."""
    columns, rows = np.nonzero(np.asarray(dense).T)
    lines = [
        f"{i + 1} {j + 1}" + ("" if field == "pattern" else f" {dense[i, j]}")
        for i, j in zip(rows, columns, strict=True)
        if symmetry == "general" or i >= j
    ]
    lines = lines if order is None else [lines[i] for i in order]
    size = f"{dense.shape[0]} {dense.shape[1]} {len(lines)}"
    return "\n".join([f"%%MatrixMarket matrix coordinate {field} {symmetry}", "% comment", size, *lines, ""]).encode()


def by_scipy(matrix: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    scipy.io.mmwrite(out, matrix, **options)
    return out.getvalue()


def put_matrix(file: Any, path: str, matrix: Any, old: bool = False) -> None:
    if not sp.issparse(matrix):
        file[path] = matrix
        return
    group = file.create_group(path)
    group.attrs["h5sparse_format" if old else "encoding-type"] = matrix.format if old else f"{matrix.format}_matrix"
    group.attrs["h5sparse_shape" if old else "shape"] = matrix.shape
    for part in ("data", "indices", "indptr"):
        group[part] = getattr(matrix, part)


def put_frame(file: Any, path: str, names: Sequence[str], **columns: Any) -> None:
    """As AnnData from 0.8 on writes it. A pair: a categorical's (codes, categories), or a nullable's (values, mask)."""
    frame = file.create_group(path)
    frame.attrs["_index"] = "names"
    frame["names"] = np.array(names, dtype="S9")
    for name, column in columns.items():
        if isinstance(column, tuple):
            group = frame.create_group(name)
            keys = ("values", "mask") if column[1].dtype == bool else ("codes", "categories")
            for key, part in zip(keys, column, strict=True):
                group[key] = part
        else:
            frame[name] = column


def h5ad(matrix: Any, old: bool = False, **more: Any) -> bytes:
    """An AnnData file with names c1, c2, ... and g1, g2, ...; ``more``: further matrices by their path."""
    h5py = pytest.importorskip("h5py")
    out = io.BytesIO()
    rows, columns = matrix.shape
    with h5py.File(out, "w") as file:
        put_frame(file, "obs", [f"c{i + 1}" for i in range(rows)])
        put_frame(file, "var", [f"g{i + 1}" for i in range(columns)])
        put_matrix(file, "X", matrix, old)
        for path, other in more.items():
            put_matrix(file, path.replace("__", "/"), other, old)
    return out.getvalue()


WRITERS: dict[str, Callable[[Dense], bytes]] = {
    "coordinate": market,
    "array": lambda d: by_scipy(d),
    "scipy coordinate": lambda d: by_scipy(sp.coo_array(d)),
    "row after row": lambda d: by_scipy(sp.csr_array(d)),
    "real": lambda d: by_scipy(sp.coo_array(d.astype(float))),
    "real array": lambda d: by_scipy(d.astype(float)),
    "zstd": lambda d: pa.compress(market(d), codec="zstd", asbytes=True),
    "gzip": lambda d: gzip.compress(market(d)),
    "h5ad csr": lambda d: h5ad(sp.csr_matrix(d)),
    "h5ad csc": lambda d: h5ad(sp.csc_matrix(d)),
    "h5ad dense": h5ad,
    "h5ad float": lambda d: h5ad(sp.csr_matrix(d.astype(np.float64))),
    "h5ad float32": lambda d: h5ad(np.minimum(d, 2**24).astype(np.float32)),
    "h5ad unsigned": lambda d: h5ad(sp.csc_matrix(d.astype(np.uint64))),
    "h5ad old csr": lambda d: h5ad(sp.csr_matrix(d), old=True),
    "h5ad big-endian": lambda d: h5ad(d.astype(">i8")),
    "h5ad gzip": lambda d: gzip.compress(h5ad(sp.csr_matrix(d))),
}

# Laws -------------------------------------------------------------------------------------------------------


def read(data: bytes, **options: Any) -> list[Column]:
    return read_source("-", stdin=io.BytesIO(data), **options)


def check(found: list[Column], variables: Any) -> None:
    """``variables``: one row of counts each."""
    assert len(found) == len(variables)
    for column, counts in zip(found, variables, strict=True):
        values, weights = np.unique(counts, return_counts=True)
        assert column.histogram.values.tolist() == values.tolist()
        assert column.histogram.weights.tolist() == weights.tolist()
        assert column.histogram.n_missing == 0
        assert column.histogram.values.dtype == column.histogram.weights.dtype == np.int64


COUNTS = st.one_of(st.just(0), st.integers(0, 5), st.integers(0, 2**53))
MATRICES = hnp.arrays(np.int64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=7), elements=COUNTS)


@pytest.mark.parametrize("kind", WRITERS)
@given(dense=MATRICES, block_size=st.sampled_from([1, 20, 1 << 22]))
@settings(max_examples=15, deadline=None)
@example(dense=SMALL, block_size=9)
@example(dense=np.zeros((3, 2), dtype=np.int64), block_size=9)
def test_histograms_are_those_of_the_dense_matrix(kind: str, dense: Dense, block_size: int) -> None:
    if kind == "h5ad float32":
        dense = np.minimum(dense, 2**24)
    data = WRITERS[kind](dense)
    check(read(data, variables="columns", block_size=block_size), dense.T)
    check(read(data, variables="rows", block_size=block_size), dense)


@given(dense=MATRICES, seed=st.integers(0, 99), block_size=st.sampled_from([1, 25]))
@settings(max_examples=40, deadline=None)
def test_entries_may_come_in_any_order(dense: Dense, seed: int, block_size: int) -> None:
    order = np.random.default_rng(seed).permutation(np.count_nonzero(dense))
    check(read(market(dense, order=order.tolist()), variables="rows", block_size=block_size), dense)


@given(
    entries=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(0, 9)), min_size=1, max_size=20),
    ordered=st.sampled_from([None, (0,), (1,), (0, 1), (1, 0)]),
    block_size=st.sampled_from([1, 20, 1 << 22]),
)
@settings(max_examples=100, deadline=None)
def test_repeated_entries_add_as_in_scipy(entries: list[Any], ordered: tuple[int, ...] | None, block_size: int) -> None:
    if ordered is not None:
        entries = sorted(entries, key=lambda entry: [entry[i] for i in ordered])
    text = BANNER + f"3 4 {len(entries)}\n" + "".join(f"{i} {j} {v}\n" for i, j, v in entries)
    dense = scipy.io.mmread(io.BytesIO(text.encode())).toarray()
    check(read(text.encode(), block_size=block_size), dense.T)


@given(
    dense=hnp.arrays(np.int64, st.integers(1, 6).map(lambda n: (n, n)), elements=COUNTS), block_size=st.integers(1, 40)
)
@settings(max_examples=40, deadline=None)
def test_symmetric_is_expanded(dense: Dense, block_size: int) -> None:
    dense = np.maximum(dense, dense.T)
    for data in (market(dense, symmetry="symmetric"), by_scipy(dense, symmetry="symmetric")):
        assert b" symmetric" in data
        check(read(data, block_size=block_size), dense)


@pytest.mark.parametrize("symmetry", ["general", "symmetric"])
def test_pattern_is_one(symmetry: str) -> None:
    dense = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 0]])
    data = market(dense, "pattern", symmetry)
    assert (scipy.io.mmread(io.BytesIO(data)).toarray() == dense).all()
    check(read(data), dense)


@pytest.mark.parametrize("block_size", [1, 14, 1 << 22])
@pytest.mark.parametrize(
    "text",
    [
        "%%matrixmarket MATRIX Coordinate Integer GENERAL\n%a\n%\n\n3 4 5\n2 1 2\n1 2 3\n3 2 3\n1 4 1\n3 4 7\n",
        BANNER + "  3\t4  5 \n 2  1 2\n\n1\t2\t3\n3 2 3 \n   \n1 4 1\n3 4   7",
        BANNER.replace("\n", "\r\n") + "3 4 5\r\n2 1 2\r\n1 2 3\r\n3 2 3\r\n1 4 1\r\n3 4 7\r\n\r\n",
        BANNER.replace("integer", "real") + "3 4 6\n2 1 2.0\n1 2 3e0\n3 2 +3\n1 1 0.000\n1 4 1.\n3 4 .7e1\n",
        BANNER.replace("integer", "unsigned-integer") + "3 4 6\n1 2 3\n1 4 1\n2 1 2\n2 2 0\n3 2 3\n3 4 7\n",
        "%%MatrixMarket matrix array real general\n3 4\n0\n2\n0\n3.0\n0\n3\n\n0\n 0\n0\n1\n0\n7\n",
    ],
)
def test_ways_to_write_the_same(text_file: TextFile, text: str, block_size: int) -> None:
    found = read_source(path := text_file(text, "m.mtx"), block_size=block_size)
    check(found, SMALL.T)
    assert [column.column for column in found] == ["1", "2", "3", "4"]
    assert {column.source for column in found} == {path}


def test_long_comments() -> None:
    check(read(market(SMALL).replace(b"% comment", b"% " + b"x" * 70_000 + b"\n%y" * 40_000)), SMALL.T)


def test_a_value_not_known_is_missing() -> None:
    dense = np.array([[0, np.nan, 2], [np.nan, np.nan, 0]])
    for data in (h5ad(dense), h5ad(sp.csr_matrix(dense))):
        found = read(data)
        assert [column.histogram.n_missing for column in found] == [1, 2, 0]
        assert [column.histogram.values.tolist() for column in found] == [[0], [], [0, 2]]
    with pytest.raises(DataError, match="only missing values"):
        read(data, columns=["g2"])


def test_repeats_in_compressed_rows() -> None:
    """Indices of a row may repeat and come in any order; SciPy adds them."""
    odd = sp.csr_matrix((np.array([1, 2, 4.0, np.nan, 1]), np.array([2, 0, 2, 1, 1]), np.array([0, 3, 5])), (2, 3))
    found = read(h5ad(odd))
    assert [(c.histogram.values.tolist(), c.histogram.n_missing) for c in found] == [([0, 2], 0), ([0], 1), ([0, 5], 0)]


def test_memory_is_not_that_of_the_dense_matrix() -> None:
    """200,000 entries of a matrix of 400 million, which would be 1.6 GB."""
    indices = np.random.default_rng(1).integers(0, 20_000, 200_000, dtype=np.int32)
    matrix = sp.csr_matrix((np.full(200_000, 3, np.int32), indices, np.arange(20_001) * 10), (20_000, 20_000))
    matrix.sum_duplicates()
    data = h5ad(matrix)
    tracemalloc.start()
    found = read(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(20_000 - column.histogram.zeros for column in found) == matrix.nnz
    assert peak < 100e6


# Names ------------------------------------------------------------------------------------------------------


def tenx(folder: Path, prefix: str = "", transposed: bool = False, genes: str = "features.tsv.gz") -> str:
    """3 genes x 4 cells, as Cell Ranger writes them."""
    dense = SMALL.T if transposed else SMALL
    (folder / f"{prefix}matrix.mtx.gz").write_bytes(gzip.compress(market(dense)))
    names = b"ENS1\tACTB\tGene Expression\nENS2\tMT-1\tGene Expression\nENS3\tACTB\tGene Expression\n"
    (folder / f"{prefix}{genes}").write_bytes(gzip.compress(names) if genes.endswith("gz") else names)
    (folder / f"{prefix}barcodes.tsv").write_text("AA-1\nAC-1\nAG-1\nAT-1\n")
    return str(folder / f"{prefix}matrix.mtx.gz")


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("genes", ["features.tsv.gz", "genes.tsv"])
@pytest.mark.parametrize("prefix", ["", "GSM1_"])
def test_names_of_10x_genomics(tmp_path: Path, prefix: str, genes: str, transposed: bool) -> None:
    path = tenx(tmp_path, prefix, transposed, genes)
    found = read_source(path)
    check(found, SMALL)
    assert [column.column for column in found] == ["ACTB", "MT-1", "ACTB-1"]
    cells = read_source(path, variables="rows" if transposed else "columns")
    check(cells, SMALL.T)
    assert [column.column for column in cells] == ["AA-1", "AC-1", "AG-1", "AT-1"]


def test_a_folder_of_10x_genomics_is_one_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXTENSIONS, ".mtx", "matrix")
    tenx(tmp_path)
    check(read_source(str(tmp_path)), SMALL)
    tenx(tmp_path, "b_")
    check(read_source(str(tmp_path)), np.hstack([SMALL, SMALL]))


def test_names_that_do_not_fit(tmp_path: Path) -> None:
    path = tenx(tmp_path)
    (tmp_path / "barcodes.tsv").write_text("AA-1\nAC-1\n")
    error = refused(path)
    assert "a matrix of 3 x 4, which the names beside it do not fit (3 in " in error.problem
    assert "barcodes.tsv)" in error.problem


def test_unique_names() -> None:
    """The example of AnnData's documentation of ``var_names_make_unique``, and its rule where a new name is taken."""
    assert unique(["Astrocyte", "Oligo", "Astrocyte"]) == ["Astrocyte", "Oligo", "Astrocyte-1"]
    assert unique(["a", "a", "a-1", "b", "a"]) == ["a", "a-2", "a-1", "b", "a-3"]
    assert unique([]) == []


def test_choice_of_variables() -> None:
    data = h5ad(SMALL)
    check(read(data, columns=["g3", "g1"]), SMALL.T[[0, 2]])
    check(read(data, columns=["g[24]", "g1"]), SMALL.T[[0, 1, 3]])
    assert [c.column for c in read(data, columns=["c?"], variables="rows")] == ["c1", "c2", "c3"]
    with pytest.raises(DataError, match='no variable "g9"') as caught:
        read(data, columns=["g9"])
    assert caught.value.hint == "variables: g1, g2, g3, g4"
    with pytest.raises(DataError, match='no variable "c11"') as caught:
        read(data, columns=["c11"], variables="rows")
    assert 'did you mean "c1"? variables: c1' in caught.value.hint


def test_of_many_variables_few_are_listed() -> None:
    names = [f"g{i}" for i in range(2000)]
    assert no_such("m.mtx", "variable", "zz", names).hint == "variables: g0, g1, g2, g3, g4 and 1995 more"


# Data sets and groups ---------------------------------------------------------------------------------------


def test_matrices_of_one_data_set_are_joined(text_file: TextFile) -> None:
    paths = [text_file(h5ad(SMALL), "a.h5ad"), text_file(h5ad(2 * SMALL[:2]), "b.h5ad")]
    check(read_sources(paths, together=True), np.vstack([SMALL, 2 * SMALL[:2]]).T)
    assert [column.source for column in read_sources(paths, Request(["g1"]))] == paths
    fewer = text_file(h5ad(SMALL[:, :2]), "c.h5ad")
    assert f'{fewer}: no variable "g3"' in refused_together([paths[0], fewer])
    table = text_file("g1\n3\n", "d.csv")
    assert "tables, histograms and matrices" in refused_together([paths[0], table])


def refused_together(paths: list[str]) -> str:
    with pytest.raises(DataError) as caught:
        read_sources(paths, together=True)
    return caught.value.problem


def grouped(tmp_path: Path) -> str:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "groups.h5ad"
    with h5py.File(path, "w") as file:
        put_matrix(file, "X", sp.csr_matrix([[0, 5], [2, 0], [2, 2**40], [0, 7], [1, 7]]))
        put_frame(
            file,
            "obs",
            list("abcde"),
            batch=(np.array([1, 0, 1, -1, 0], dtype=np.int8), np.array(["x", "y"], dtype=object)),
            number=np.array([10, 9, 10, 9, 9]),
            text=np.array(["1", "0", "1", "0", "0"], dtype=object),
            flag=np.array([True, False, True, False, False]),
            some=(np.array([4, 3, 4, 0, 3]), np.array([False, False, False, True, False])),
            w=np.array([1, 2, 0, 3, 4]),
            bad=np.array([1, 2, -3, 3, 4]),
        )
        put_frame(file, "var", ["u", "v"], kind=np.array(["k", "l"], dtype=object))
    return str(path)


@pytest.mark.parametrize(
    ("by", "labels"),
    [
        ("batch", ["x", "y", None]),
        ("some", [3, 4, None]),
        ("number", [9, 10]),
        ("text", [0, 1]),
        ("flag", [False, True]),
    ],
)
def test_groups_of_observations(tmp_path: Path, by: str, labels: list[object]) -> None:
    found = read_source(grouped(tmp_path), by=[by])
    assert [(column.column, column.group) for column in found] == [(n, {by: label}) for n in "uv" for label in labels]
    if len(labels) == 3:
        check(found, [[2, 1], [0, 2], [0], [0, 7], [5, 2**40], [7]])
    else:
        check(found, [[2, 0, 1], [0, 2], [0, 7, 7], [5, 2**40]])


def test_more_groups_weights_and_the_other_axis(tmp_path: Path) -> None:
    path = grouped(tmp_path)
    both = read_source(path, ["v"], ["number", "batch"])
    assert [tuple(column.group.values()) for column in both] == [(9, "x"), (9, None), (10, "y")]
    check(both, [[0, 7], [7], [5, 2**40]])
    weighted = read_source(path, by=["number"], weights="w")
    check(weighted, [[2, 2, 0, 0, 0, 1, 1, 1, 1], [0], [0, 0, 7, 7, 7, 7, 7, 7, 7], [5]])
    check(read_source(path, ["v"], weights="w"), [[5, 0, 0] + [7] * 7])
    rows = read_source(path, ["a", "c"], ["kind"], variables="rows")
    assert [tuple(column.group.values()) for column in rows] == [("k",), ("l",)] * 2
    check(rows, [[0], [5], [2], [2**40]])


def test_layers(text_file: TextFile) -> None:
    data = h5ad(SMALL * 0.5, layers__counts=sp.csc_matrix(SMALL))
    check(read(data, layer="counts"), SMALL.T)
    error = refused(text_file(data, "a.h5ad"))
    assert error.problem.endswith("a.h5ad, X, row 1 (c1), column 2 (g2): 1.5 is not a whole number")
    assert error.hint.endswith("or choose another layer: --layer counts")
    with pytest.raises(DataError, match='no layer "count"') as caught:
        read(data, layer="count")
    assert "did you mean" in caught.value.hint
    with pytest.raises(DataError, match="no layers"):
        read(market(SMALL), layer="counts")
    for options in ({"layer": "counts"}, {"variables": "rows"}):
        with pytest.raises(DataError, match="is a table, not a matrix"):
            read(b"y\n1\n", **options)


# Versions of AnnData ----------------------------------------------------------------------------------------


def test_tables_of_anndata_0_6_and_0_7(tmp_path: Path) -> None:
    """Made by hand after files that AnnData 0.6.22 and 0.7.8 wrote, which this reader was tried on too."""
    h5py = pytest.importorskip("h5py")
    for version in ("0.6", "0.7"):
        with h5py.File(tmp_path / f"{version}.h5ad", "w") as file:
            put_matrix(file, "X", SMALL / 2)
            raw = sp.csr_matrix(np.hstack([SMALL, SMALL]))
            put_matrix(file, "raw.X" if version == "0.6" else "raw/X", raw, old=version == "0.6")
            if version == "0.6":
                kind = [("index", "S3"), ("batch", "i1")]
                file["obs"] = np.array([(b"a", 0), (b"b", 1), (b"c", -1)], dtype=kind)
                file["uns/batch_categories"] = np.array(["x", "y"], dtype=object)
                file["var"] = np.array([(f"g{i}".encode(),) for i in range(4)], dtype=kind[:1])
                file["raw.var"] = np.array([(f"r{i}".encode(),) for i in range(8)], dtype=kind[:1])
            else:
                put_frame(file, "obs", list("abc"), batch=np.array([0, 1, -1], dtype=np.int8))
                file["obs/__categories/batch"] = np.array(["x", "y"], dtype=object)
                file["obs/batch"].attrs["categories"] = file["obs/__categories/batch"].ref
                put_frame(file, "var", [f"g{i}" for i in range(4)])
                put_frame(file, "raw/var", [f"r{i}" for i in range(8)])
        found = read_source(str(tmp_path / f"{version}.h5ad"), ["r1", "r7"], ["batch"], layer="raw.X")
        assert [(c.column, c.group["batch"]) for c in found] == [(r, g) for r in ("r1", "r7") for g in ("x", "y", None)]
        check(found, [[3], [0], [3], [1], [0], [7]])


@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")
@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_matrix, np.asarray])
def test_files_of_anndata_itself(tmp_path: Path, kind: Callable[[Any], Any]) -> None:
    import anndata
    import pandas

    dense = np.random.default_rng(1).poisson(1.0, (30, 5)).astype(np.float32)
    with pandas.option_context("future.infer_string", False):  # anndata writes no other text yet
        cells = pandas.DataFrame({"batch": pandas.Categorical(list("xyz") * 10)}, index=[f"c{i}" for i in range(30)])
        cells["some"] = pandas.array([1, None, 2] * 10, dtype="Int64")
        genes = pandas.DataFrame(index=[f"g{i}" for i in range(5)])
        data = anndata.AnnData(kind(dense), obs=cells, var=genes, layers={"twice": kind(2 * dense)})
        data.raw = data.copy()
        data.write_h5ad(tmp_path / "a.h5ad", compression="gzip")
    path = str(tmp_path / "a.h5ad")
    check(read_source(path), dense.T)
    check(read_source(path, layer="twice", variables="rows"), 2 * dense)
    check(read_source(path, layer="raw.X"), dense.T)
    for by, labels in (("batch", ["x", "y", "z"]), ("some", [1, 2, None])):
        found = read_source(path, ["g3"], [by])
        assert [column.group[by] for column in found] == labels
        check(found, [dense[offset::3, 3] for offset in ((0, 1, 2) if by == "batch" else (0, 2, 1))])


# Bad input --------------------------------------------------------------------------------------------------


def refused(source: str, *args: Any, **options: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        read_source(source, *args, **options)
    assert caught.value.hint, "says what to do"
    return caught.value


@pytest.mark.parametrize(
    ("banner", "problem"),
    [
        ("%%MatrixMarket matrix coordinate complex general", "line 1: complex numbers are no counts"),
        ("%%MatrixMarket matrix coordinate complex hermitian", "line 1: complex numbers are no counts"),
        ("%%MatrixMarket matrix coordinate real hermitian", "line 1: a Hermitian matrix is complex"),
        ("%%MatrixMarket matrix coordinate real skew-symmetric", "line 1: a skew-symmetric matrix holds negative"),
        ("%%MatrixMarket matrix sparse real general", "line 1: unknown format 'sparse'"),
        ("%%MatrixMarket matrix coordinate text general", "line 1: unknown field 'text'"),
        ("%%MatrixMarket matrix coordinate real odd", "line 1: unknown symmetry 'odd'"),
        ("%%MatrixMarket matrix array pattern general", "line 1: a pattern cannot be stored as an array"),
        ("%%MatrixMarket vector coordinate real general", "is not the first line of a matrix"),
        ("1 1 3", "line 1: '1 1 3' is not the first line of a matrix"),
    ],
)
def test_bad_banner(text_file: TextFile, banner: str, problem: str) -> None:
    assert problem in refused(text_file(f"{banner}\n2 2 1\n1 1 3\n", "m.mtx")).problem


@pytest.mark.parametrize(
    ("rest", "problem"),
    [
        ("", "no line with the size of the matrix"),
        ("% only\n%comments\n", "no line with the size of the matrix"),
        ("3 4\n", "line 2: '3 4' is not the size of the matrix (rows, columns and entries)"),
        ("%\n3 4 -1\n", "line 3: '3 4 -1' is not the size"),
        ("3 4 1.0\n", "is not the size"),
        ("3 4 " + "9" * 5000 + "\n", "is not the size"),
        ("9999999999 9999999999 1\n1 1 1\n", "beyond 2**62 positions"),
        ("3 999999999999 1\n1 1 1\n", "999,999,999,999 columns are too many variables"),
        ("0 0 0\n", "has no data: it is a matrix of 0 x 0"),
        ("0 4 0\n", "has no data: it is a matrix of 0 x 4"),
    ],
)
def test_bad_size(text_file: TextFile, rest: str, problem: str) -> None:
    assert problem in refused(text_file(BANNER + rest, "m.mtx")).problem


@pytest.mark.parametrize("block_size", [1, 1 << 22])
@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1 1 -3", ", value: -3 is negative"),
        ("1 1 2.5", ", value: 2.5 is not a whole number"),
        ("1 1 9007199254740993", ", value: 9007199254740993 is beyond 2**53"),
        ("1 1 1e400", ", value: 1e400 is beyond 2**53"),
        ("1 1 three", ", value: 'three' is not a number"),
        ("1 1 nan", ", value: a missing value"),
        ("1 1 inf", ", value: inf is not a finite number"),
        ("0 1 3", ": row 0 is outside 1 to 3"),
        ("4 1 3", ": row 4 is outside 1 to 3"),
        ("1 0 3", ": column 0 is outside 1 to 4"),
        ("1 5 3", ": column 5 is outside 1 to 4"),
        ("-1 1 3", ", row: -1 is negative"),
        ("1.5 1 3", ", row: 1.5 is not a whole number"),
        ("1 1", ": found 2 fields, expected 3"),
        ("1 1 3 0", ": found 4 fields, expected 3"),
        ("% 1 1", ", row: '%' is not a number"),
    ],
)
def test_bad_entry(text_file: TextFile, line: str, problem: str, block_size: int) -> None:
    path = text_file(BANNER + f"% note\n3 4 4\n1 2 3\n\n3  2 3\n{line}\n3 4 7\n", "m.mtx")
    assert f"{path}, entry 3 (line 7){problem}" in refused(path, block_size=block_size).problem


@pytest.mark.parametrize("block_size", [1, 1 << 22])
def test_number_of_entries(text_file: TextFile, block_size: int) -> None:
    entries = "1 2 3\n3 2 3\n"
    fewer = text_file(f"{BANNER}3 4 3\n{entries}", "m.mtx")
    assert "ends after 2 of the 3 entries that line 2 promises" in refused(fewer, block_size=block_size).problem
    more = text_file(f"{BANNER}3 4 1\n{entries}", "m.mtx")
    assert f"{more}, entry 2 (line 4): more than the 1 entries" in refused(more, block_size=block_size).problem
    array = text_file("%%MatrixMarket matrix array integer general\n2 2\n1\n2\n3\n", "m.mtx")
    assert "ends after 3 of the 4 entries" in refused(array, block_size=block_size).problem


def test_symmetric_above_the_diagonal_or_not_square(text_file: TextFile) -> None:
    symmetric = BANNER.replace("general", "symmetric")
    path = text_file(f"{symmetric}3 3 2\n2 1 4\n1 2 4\n", "m.mtx")
    assert "entry 2 (line 4): row 1, column 2 is above the diagonal" in refused(path).problem
    assert "a symmetric matrix of 3 x 4" in refused(text_file(f"{symmetric}3 4 0\n", "m.mtx")).problem


def test_a_sum_that_is_too_large(text_file: TextFile) -> None:
    many = "".join(f"2 1 {2**53}\n" for _ in range(2100))  # int64 wraps around, and around again
    for repeats, text in ((2, f"2 1 {2**53}\n2 1 1\n"), (2100, many)):
        problem = refused(text_file(f"{BANNER}3 4 {repeats}\n{text}", "m.mtx")).problem
        assert "row 2, column 1: its entries add up to more than 2**53" in problem


def test_no_groups_in_matrix_market(text_file: TextFile) -> None:
    path = text_file(market(SMALL), "m.mtx")
    for options in ({"by": ["batch"]}, {"weights": "batch"}):
        assert "a Matrix Market file holds counts only" in refused(path, **options).problem


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"by": ["batc"]}, 'obs: no column "batc"'),
        ({"by": ["batch"], "variables": "rows"}, 'var: no column "batch"'),
        ({"weights": "batch"}, "'y' is not a number"),
        ({"weights": "some"}, 'column "some", row 4: a missing weight'),
        ({"weights": "bad"}, 'column "bad", row 3: -3 is negative'),
        ({"weights": "flag"}, "holds bool"),
    ],
)
def test_bad_groups_and_weights(tmp_path: Path, options: dict[str, Any], problem: str) -> None:
    assert problem in refused(grouped(tmp_path), **options).problem


@pytest.mark.parametrize(
    ("matrix", "problem"),
    [
        (np.array([[0, 1], [-2, 0]]), "X, row 2 (c2), column 1 (g1): -2 is negative"),
        (sp.csc_matrix([[0, 1], [2.5, 0]]), "X, row 2 (c2), column 1 (g1): 2.5 is not a whole number"),
        (sp.csr_matrix([[0, 2**53 + 1]]), "X, row 1 (c1), column 2 (g2): 9007199254740993 is beyond 2**53"),
        (np.array([[1j, 2]]), "X: holds complex128, not whole numbers"),
        (np.zeros((0, 3)), "has no data: it is a matrix of 0 x 3"),
    ],
)
def test_bad_values_of_anndata(text_file: TextFile, matrix: Any, problem: str) -> None:
    assert problem in refused(text_file(h5ad(matrix), "a.h5ad")).problem


def changed(change: Callable[[Any], object]) -> bytes:
    h5py = pytest.importorskip("h5py")
    out = io.BytesIO(h5ad(sp.csr_matrix(SMALL), layers__counts=SMALL))
    with h5py.File(out, "a") as file:
        change(file)
    return out.getvalue()


def without(*paths: str) -> Callable[[Any], object]:
    return lambda file: [file.__delitem__(path) for path in paths]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (without("X"), "X is missing"),
        (without("X", "layers"), 'no layer "X"'),
        (without("obs"), "not AnnData"),
        (without("var/names"), "damaged"),
        (without("X/indptr"), "damaged"),
        (lambda file: file["X/indices"].write_direct(np.full(5, 4, dtype=np.int32)), "point beyond its 4 places"),
        (
            lambda file: file["X/indptr"].write_direct(np.array([0, 4, 2, 5], dtype=np.int32)),
            "does not divide its data",
        ),
        (lambda file: file["X"].attrs.modify("shape", (4, 4)), "X is 4 x 4, but there are 3 obs and 4 var"),
        (lambda file: file["X"].attrs.modify("encoding-type", "dataframe"), "X: is stored as dataframe"),
    ],
)
def test_anndata_that_is_not_whole(text_file: TextFile, change: Callable[[Any], object], problem: str) -> None:
    error = refused(text_file(changed(change), "a.h5ad"))
    assert problem in error.problem


def test_other_hdf5_and_no_hdf5(text_file: TextFile, monkeypatch: pytest.MonkeyPatch) -> None:
    tenx_h5 = changed(lambda file: (without("obs", "var")(file), file.create_group("matrix")))
    assert "10x Genomics" in refused(text_file(tenx_h5, "a.h5")).hint
    assert "not an HDF5 file" in refused(text_file("y\n1\n", "a.h5ad")).problem
    path = text_file(h5ad(SMALL), "b.h5ad")
    original = builtins.__import__

    def no_h5py(name: str, *args: Any, **options: Any) -> Any:
        if name == "h5py":
            raise ImportError(name)
        return original(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", no_h5py)
    error = refused(path)
    assert "need h5py, which is not installed" in error.problem
    assert error.hint == "pip install 'distfit-counts[anndata]'"


@pytest.mark.parametrize("kind", ["coordinate", "gzip", "h5ad csr", "h5ad dense", "array"])
@pytest.mark.parametrize("seed", range(3))
def test_damage_is_a_data_error_or_harmless(text_file: TextFile, kind: str, seed: int) -> None:
    rng = random.Random(seed)
    whole = WRITERS[kind](np.random.default_rng(seed).poisson(1.0, (20, 10)))
    # HDF5 files are only cut short: the HDF5 library itself may search some damaged ones for ever.
    hdf5 = kind.startswith("h5ad")
    for _ in range(15):
        data = bytearray(whole[: rng.randrange(1, len(whole))] if hdf5 or rng.random() < 0.4 else whole)
        for _ in range(0 if hdf5 else rng.randrange(0, 9)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        with contextlib.suppress(DataError):
            read_source(text_file(bytes(data), "m.mtx" if kind == "coordinate" else "m"))
