"""The files that a command will write, checked before the work."""

from __future__ import annotations

from pathlib import Path

from distfit_counts.errors import OutputError


def check_outputs(output: Path | None, save: Path | None, plot: Path | None) -> None:
    """Raises OutputError where one of them cannot be written, or two have the same name."""
    from distfit_counts.output import check
    from distfit_counts.report.plots.render import check as check_picture

    paths = [path for path in (output, save, plot) if path is not None]
    if len(set(paths)) < len(paths):
        raise OutputError("two outputs have the same name", "give -o, --save and --plot different names")
    for path in (output, save):
        if path is not None:
            check(path)
    if plot is not None:
        check_picture(plot)
