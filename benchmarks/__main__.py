"""``python -m benchmarks [NAME ...]``: run all (or the named) benchmarks and print a Markdown table."""

from __future__ import annotations

import compileall
import sys

from benchmarks import (
    accuracy,
    batch,
    checksums,
    command,
    inference,
    long,
    maxima,
    network,
    network_head,
    published_loop,
    regression,
    regression_maxima,
    wide,
)
from benchmarks.measure import ROOT, Figure

BENCHMARKS = {
    "published_loop": published_loop.run,
    "command": command.run,
    "batch": batch.run,
    "accuracy": accuracy.run,
    "inference": inference.run,
    "long": long.run,
    "checksums": checksums.run,
    "maxima": maxima.run,
    "wide": wide.run,
    "regression": regression.run,
    "regression_maxima": regression_maxima.run,
    "network": network.run,
    "network_head": network_head.run,
}


def main() -> None:
    chosen = sys.argv[1:] or list(BENCHMARKS)
    # As pip does for what it installs: where Python may not write its bytecode, a checkout is compiled at every start.
    compileall.compile_dir(ROOT / "src", quiet=1)
    print("| what | asked | measured | detail |\n| --- | --- | --- | --- |", flush=True)
    for name in chosen:
        for figure in BENCHMARKS[name]():
            _print(figure)


def _print(figure: Figure) -> None:
    print(f"| {figure.what} | {figure.asked} | {figure.measured} | {figure.detail} |", flush=True)


if __name__ == "__main__":
    main()
