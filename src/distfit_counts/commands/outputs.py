"""The files that a command will write, checked before the work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from distfit_counts.errors import OutputError


def check_outputs(output: Path | None, save: Path | None, plot: Path | None, inputs: Sequence[Path]) -> None:
    """Raises OutputError where one of them cannot be written, two have the same name, or one is an input."""
    from distfit_counts.output import check
    from distfit_counts.report.plots.render import check as check_picture

    paths = [path for path in (output, save, plot) if path is not None]
    if len(set(paths)) < len(paths):
        raise OutputError("two outputs have the same name", "give -o, --save and --plot different names")
    for path in paths:
        for source in inputs:
            if path.is_file() and source.is_file() and path.samefile(source):
                raise OutputError(f"{path} is also an input: it would be overwritten", "name another file")
    for written in (output, save):
        if written is not None:
            check(written)
    if plot is not None:
        check_picture(plot)
