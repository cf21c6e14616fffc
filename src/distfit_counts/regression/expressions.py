"""What a term of a formula may compute: arithmetic on columns, and nothing else.

A formula is read from models too, and formulaic evaluates Python.
"""

from __future__ import annotations

import ast
import re
from typing import Any, TypeGuard

from distfit_counts.errors import DistfitError

# What a term may call.
_TRANSFORMS = {
    "C", "I", "Q", "bs", "cc", "center", "cr", "cs", "exp", "exp2", "exp10", "log", "log2", "log10", "poly", "scale",
    "standardize",
}  # fmt: skip
_CONTRAST_CLASSES = {"Diff", "Helmert", "Poly", "Sum", "Treatment"}
_NUMPY = {"abs", "cos", "exp", "expm1", "floor", "log", "log10", "log1p", "log2", "maximum", "minimum", "sign", "sin",
          "sqrt", "tanh", "where"}  # fmt: skip
_CONTRASTS = {"treatment", "sum", "helmert", "diff", "poly", "sas"}
_NODES = (
    ast.Expression, ast.Call, ast.Name, ast.Attribute, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Compare, ast.keyword,
    ast.List, ast.Tuple, ast.Load, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip


def functions() -> dict[str, Any]:
    """What a term may call by NumPy's names, with np. before them or, as in R, without."""
    import numpy as np

    return {name: getattr(np, name) for name in _NUMPY - _TRANSFORMS}


def is_coding(node: ast.AST) -> TypeGuard[ast.Call]:
    """``C(x, Sum)``, where Sum is no column."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "C"
        and all(isinstance(own, ast.Name) and own.id in _CONTRAST_CLASSES for own in node.args[1:])
    )


def check_expression(tree: ast.Expression) -> None:
    """Raises DistfitError for whatever is no arithmetic on columns."""
    expression = ast.unparse(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.BitXor):
            raise DistfitError(f"the term {expression!r} has a ^, which is no power there", "write it with **")
        if not isinstance(node, _NODES) or (isinstance(node, ast.Name) and node.id.startswith("__")):
            raise DistfitError(f"the term {expression!r} is no arithmetic on columns", "compute it in the data")
        if isinstance(node, ast.Call):
            _check_call(node.func, expression)
        elif isinstance(node, ast.Attribute) and not _known_attribute(node):
            raise DistfitError(f"the term {expression!r} uses what formulas do not have", "compute it in the data")


def _check_call(function: ast.expr, expression: str) -> None:
    if isinstance(function, ast.Name) and function.id in _TRANSFORMS | _NUMPY | _CONTRAST_CLASSES:
        return
    if isinstance(function, ast.Attribute) and _known_attribute(function):
        return
    if isinstance(function, ast.Name) and function.id == "offset":
        raise DistfitError(f"the term {expression!r} is no covariate", _offset_option(expression))
    known = ", ".join(sorted(_TRANSFORMS | _NUMPY, key=str.lower))
    raise DistfitError(f"the term {expression!r} calls {ast.unparse(function)}", f"formulas know {known}")


def _offset_option(expression: str) -> str:
    """What to write instead of ``offset(x)`` or ``offset(log(x))``."""
    found = re.fullmatch(r"offset\((?:(?:np\.)?(log)\()?([^\W\d][\w.]*)\)+", expression)
    if found is None:
        return "compute it as a column of the data, and name that with --offset"
    option = "exposure" if found[1] else "offset"
    return f"take it out of the formula, and add --{option} {found[2]} (from Python: {option}={found[2]!r})"


def _known_attribute(node: ast.Attribute) -> bool:
    if not isinstance(node.value, ast.Name):
        return False
    return node.attr in {"np": _NUMPY, "contr": _CONTRASTS}.get(node.value.id, set())
