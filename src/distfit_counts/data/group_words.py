"""A group as people read it. In CSV, JSON and Parquet a missing label stays missing."""

from __future__ import annotations

from collections.abc import Mapping

# Not "None", which a label may be.
_MISSING = "(missing)"


def label_text(label: object) -> str:
    return _MISSING if label is None else str(label)


def group_words(group: Mapping[str, object]) -> list[str]:
    """``clinic = A``, for each of the grouping columns."""
    return [f"{name} = {label_text(label)}" for name, label in group.items()]


def after_column(group: Mapping[str, object]) -> str:
    """``, clinic = A, ward = 3``, to follow the column's name."""
    return "".join(f", {words}" for words in group_words(group))
