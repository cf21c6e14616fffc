"""``distfit families``: what can be fitted, with pmf, parameters and an example."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def families() -> None:
    """List the families: pmf, parameters and an example of each."""
    from distfit_counts.report.emit import emit_table

    emit_table(_print, None)


def _print(console: Console) -> None:
    from rich.padding import Padding

    from distfit_counts.families.spec import EXAMPLES, MIXTURE_WORDS, SHORTHANDS, parse
    from distfit_counts.report.screen import Line

    for spec, example in EXAMPLES.items():
        family = parse(example)
        module = inspect.getmodule(type(family))
        title, _, text = (inspect.getdoc(module) or "").partition("\n\n")
        console.print(Line((spec, "bold cyan"), f"   {' '.join(title.split())}"))
        for paragraph in text.split("\n\n"):
            console.print(Padding(Line(" ".join(paragraph.split()), style="dim"), (0, 0, 0, 2)))
        parameters = ", ".join(f"{n} ({p.meaning})" for p in family.parameters for n in p.names)
        console.print(Padding(Line(f"parameters of {example}: {parameters}"), (0, 0, 0, 2)))
        console.print(Line("  ", (f"distfit fit counts.csv --family '{example}'", "green")))
        console.print()
    short = ", ".join(f"{name} = {spec}" for name, spec in SHORTHANDS.items())
    words = ", ".join(f"--family {word}" for word in MIXTURE_WORDS)
    console.print(Line(("shorthands", "bold"), f"   {short}"))
    console.print(Line(("without quoting", "bold"), f"   {words} with --components K"))
