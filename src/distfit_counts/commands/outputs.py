"""The files that a command will write, and in which format: checked before the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from distfit_counts.commands.options import Format
from distfit_counts.errors import OutputError
from distfit_counts.settings import STDOUT

# What the ending of a file promises.
_ENDINGS = {".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json", ".parquet": "parquet"}
# What people try too: no results are written into one of these.
_DATA = (".tsv", ".tab", ".psv", ".dat", ".pq", ".parq", ".arrow", ".arrows", ".feather", ".ipc", ".orc", ".avro")
_SHEETS = (".xls", ".xlsx", ".ods", ".sqlite", ".db", ".duckdb", ".mtx", ".h5ad", ".h5")
_PACKED = (".gz", ".zst", ".bz2", ".xz", ".zip")
_PICTURES = (".png", ".svg", ".pdf", ".html")
_KNOWN = "name a file that ends in .csv, .json (JSON Lines), .parquet or .txt (for people)"


def format_of(format: Format | None, output: Path | None) -> str:
    """``table``, ``json``, ``csv`` or ``parquet``: what ``--format`` asks for, or else the ending of ``output``.

    Raises OutputError where the two contradict each other, and for an ending that promises what is not written.
    """
    ending = "" if output is None else output.suffix.lower()
    promised = _ENDINGS.get(ending)
    if ending in (*_DATA, *_SHEETS, *_PACKED, *_PICTURES):
        hint = "a picture is drawn with --plot" if ending in _PICTURES else _KNOWN
        raise OutputError(f"cannot write results to {output}: {ending} is not among the formats", hint)
    if promised is None:
        return "table" if format is None else format.value
    if format is not None and format.value != promised:
        problem = f"--format {format.value} contradicts the ending of {output}"
        raise OutputError(problem, f"leave out --format to write {_named(promised)}, or {_KNOWN}")
    return promised


def _named(format: str) -> str:
    return {"csv": "CSV", "json": "JSON Lines", "parquet": "Parquet"}[format]


def check_outputs(
    output: Path | None, save: Path | None, plot: Path | None, inputs: Sequence[Path], checkpoint: Path | None = None
) -> None:
    """Raises OutputError where one of them cannot be written, two have the same name, or one is an input.

    Without ``output``, results go to stdout.
    """
    from distfit_counts.output import check

    paths = [path for path in (output, save, plot, checkpoint) if path is not None]
    if STDOUT in (save, plot) and output is None:
        raise OutputError("two outputs would mix on stdout", "write the results to a file: -o PATH")
    if len(set(paths)) < len(paths):
        raise OutputError("two outputs have the same name", "give every output a name of its own")
    if checkpoint == STDOUT:
        raise OutputError("a checkpoint is read again: it cannot go to stdout", "name a file")
    for written in (output, save, checkpoint):
        if written is not None:
            check(written)
    if plot is not None:
        # Imported for a picture only: with it comes what a fit is, which takes as long as reading a million rows.
        from distfit_counts.report.plots.render import check as check_picture

        check_picture(plot)
    for path in paths:
        for source in inputs:
            if path.is_file() and source.is_file() and path.samefile(source):
                raise OutputError(f"{path} is also an input: it would be overwritten", "name another file")


def deliver(
    output: Path | None, format: str, results: Callable[[Path | None, str], None], *others: Callable[[], None]
) -> None:
    """Write the ``results`` in ``format`` to ``output`` or stdout, and ``others``, each although another one failed.

    Results that cannot be written where they should go are printed: the work is not lost with a disk that is full at
    its end. Raises OutputError then, the first.
    """
    failed: list[OutputError] = []
    try:
        results(output, format)
    except OutputError as error:
        failed.append(error)
        if output is not None:
            results(None, "table" if format == "parquet" else format)
    for write in others:
        try:
            write()
        except OutputError as error:
            failed.append(error)
    if failed:
        raise failed[0]
