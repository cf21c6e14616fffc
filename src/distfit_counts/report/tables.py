"""The one look of all tables."""

from __future__ import annotations

from rich import box
from rich.table import Table


def plain_table() -> Table:
    """A table without a frame, under a ruled line of headings."""
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
