"""Modules that are loaded when first used, so that what needs only NumPy never loads torch.

``importlib.util.LazyLoader`` would do, but it is not safe when two threads touch the module first at the
same time, and torch is imported in a second thread while a file is read.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any


class LazyModule:
    """Stands for the module ``name``; imports it at the first attribute asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        # Kept on the instance, so that the next look-up does not come here again.
        value = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


def namespace(array: Any) -> Any:
    """``torch`` for a tensor, ``numpy`` for anything else: the formulas of moments are written once for both."""
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        if isinstance(array, torch.Tensor):
            return torch
    return importlib.import_module("numpy")
