"""``distfit histogram``: count now, fit later, elsewhere, together with other parts."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from distfit_counts.commands import options
from distfit_counts.commands.data import Data
from distfit_counts.commands.grouped import grouped
from distfit_counts.commands.outputs import check_outputs, deliver


@grouped
def histogram(
    data: Data,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            parser=options.results_path,
            help="A .parquet or .csv file; else CSV to stdout.",
        ),
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Write the histogram of counts: all that a fit needs, and it can be merged.

    distfit histogram january.csv february.csv -c visits --by clinic -o visits.parquet

    distfit fit visits.parquet --weights count --family nb
    """
    from distfit_counts.data.arrays import spare_pandas
    from distfit_counts.data.histogram_file import check_format, write_histograms
    from distfit_counts.report.progress import Watch

    data.check()
    check_outputs(output, None, None, data.files)
    check_format(output)
    spare_pandas()
    with Watch(quiet) as watch:
        # One table says nothing of sources: they are one data set.
        columns = replace(data, together=True).read(watch, quiet)
    deliver(output, "csv", lambda path, _: write_histograms(columns, path or sys.stdout.buffer))
