"""Chart -> file: the interactive page and the static image are the same specification."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distfit_counts.errors import OutputError
from distfit_counts.output import check as check_path
from distfit_counts.output import whole_file
from distfit_counts.printable import printable
from distfit_counts.report.plots.page import page
from distfit_counts.settings import STDOUT

if TYPE_CHECKING:
    import altair as alt

SUFFIXES = (".png", ".svg", ".pdf", ".html")

# A PNG has twice the pixels of the specification: sharp on today's screens and in print.
_SCALE = 2.0


def check(path: Path) -> None:
    """Raises OutputError if no picture can be written to ``path``: to be asked before the work, not after it."""
    if _kind(path) not in SUFFIXES:
        kind = f"{path.suffix} is no kind of picture" if path.suffix else "its name says no kind of picture"
        raise OutputError(f"cannot plot to {path}: {kind}", "name it .png, .svg, .pdf or .html")
    check_path(path)
    for module in ("altair", "vl_convert"):
        if importlib.util.find_spec(module) is None:
            raise OutputError(f"pictures need {module}, which is not installed", "pip install 'distfit-counts[plot]'")


def render(chart: alt.TopLevelMixin, path: Path) -> None:
    """Write ``chart`` to ``path``, whole or not at all, as its suffix says. Needs no network."""
    check(path)
    made = _rendered(specification(chart), _kind(path))
    with whole_file(path) as file:
        file.write(made)


def _kind(path: Path) -> str:
    """The suffix that says what is drawn; on stdout, the kind that is text."""
    return ".svg" if path == STDOUT else path.suffix.lower()


def specification(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """The Vega-Lite specification, with control characters in names of the data written out as in all text."""
    result: dict[str, Any] = _printable(chart.to_dict())
    return result


def _printable(node: Any) -> Any:
    if isinstance(node, str):
        return printable(node)
    if isinstance(node, dict):
        return {name: _printable(child) for name, child in node.items()}
    return [_printable(child) for child in node] if isinstance(node, list) else node


def _rendered(spec: dict[str, Any], suffix: str) -> bytes:
    import altair as alt
    import vl_convert

    version = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    if suffix == ".png":
        return bytes(vl_convert.vegalite_to_png(spec, vl_version=version, scale=_SCALE))
    if suffix == ".pdf":
        return bytes(vl_convert.vegalite_to_pdf(spec, vl_version=version))
    if suffix == ".svg":
        return str(vl_convert.vegalite_to_svg(spec, vl_version=version)).encode()
    return page(spec, version).encode()
