"""What a term may compute, and its values on rows: a closed set of functions of columns.

``check_factor`` goes through the very tree that ``Rows`` evaluates. Numbers are float64, so that no arithmetic costs
more than the rows do: 10**10**9 is infinite.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.data.covariates import is_number, remedy
from distfit_counts.data.source import RowError
from distfit_counts.errors import DataError, DistfitError
from distfit_counts.formula.arguments import options
from distfit_counts.formula.contrasts import Factor
from distfit_counts.formula.splines import Outside
from distfit_counts.formula.state import State
from distfit_counts.formula.syntax import (
    Call,
    Chain,
    Column,
    Items,
    Node,
    Number,
    Power,
    Text,
    Truth,
    Unary,
    columns_of,
    parts_of,
    quoted,
    text_of,
)
from distfit_counts.formula.transforms import ONE_COLUMN, TRANSFORMS

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Functions of numbers, each with how many they take.
_OF_NUMPY: Mapping[str, tuple[Callable[..., Any], int]] = {
    "abs": (np.abs, 1), "cos": (np.cos, 1), "exp": (np.exp, 1), "expm1": (np.expm1, 1), "floor": (np.floor, 1),
    "log": (np.log, 1), "log10": (np.log10, 1), "log1p": (np.log1p, 1), "log2": (np.log2, 1),
    "maximum": (np.maximum, 2), "minimum": (np.minimum, 2), "sign": (np.sign, 1), "sin": (np.sin, 1),
    "sqrt": (np.sqrt, 1), "tanh": (np.tanh, 1), "where": (lambda truth, yes, no: np.where(truth != 0.0, yes, no), 3),
}  # fmt: skip
FUNCTIONS: Mapping[str, tuple[Callable[..., Any], int]] = {
    **_OF_NUMPY,
    **{f"np.{name}": own for name, own in _OF_NUMPY.items()},
    "I": (lambda x: x, 1),
    "exp2": (np.exp2, 1),
    "exp10": (lambda x: np.power(10.0, x), 1),
}
_ARITHMETIC: Mapping[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "//": np.floor_divide, "%": np.mod,
}  # fmt: skip
_COMPARISONS: Mapping[str, Callable[..., Any]] = {
    "<": np.less, ">": np.greater, "<=": np.less_equal, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip
_LOGIC: Mapping[str, Callable[..., Any]] = {"&": np.logical_and, "|": np.logical_or}
# Words of R that formulas do not have here, and what to write instead.
_OF_R = {
    "factor": "write C(x) for levels",
    "as.factor": "write C(x) for levels",
    "ordered": "write C(x, contr.poly) for ordered levels",
    "ns": "write cr(x, df=4) for a natural spline",
    "s": "write cr(x, df=4) or bs(x, df=4) for a spline",
}


def check_factor(factor: Node) -> None:
    """Raises DistfitError for whatever is no function of columns that formulas have."""
    inner = factor
    if isinstance(factor, Call) and factor.function == "C":
        inner = Factor.of(factor).inner
    elif isinstance(factor, Call) and factor.function in TRANSFORMS:
        _check_transform(factor)
        inner = factor.arguments[0]
    _check(inner, factor)
    if not columns_of(factor):
        raise DistfitError(f"the term {_named(factor)} takes no column", "write 1 for the intercept")


def transforms_of(node: Node) -> list[Call]:
    """The calls within ``node`` that keep a state."""
    if isinstance(node, Call):
        own = [node] if node.function in TRANSFORMS else []
        inner: Sequence[Node] = node.arguments[: 1 if own or node.function == "C" else None]
    else:
        own, inner = [], parts_of(node)
    return own + [call for part in inner for call in transforms_of(part)]


def _named(node: Node) -> str:
    return quoted(text_of(node))


def _check_transform(call: Call) -> None:
    if not call.arguments:
        raise DistfitError(f"the term {_named(call)} has no column", f"write {call.function}(x)")
    options(call, TRANSFORMS[call.function].arguments)


def _check(node: Node, factor: Node) -> None:
    """``node`` within ``factor``: arithmetic on columns."""
    if isinstance(node, Call):
        _check_call(node, factor)
    elif isinstance(node, Items):
        raise DistfitError(
            f"the term {_named(factor)} holds a list", "a list is an argument of knots= and levels= alone"
        )
    else:
        for part in parts_of(node):
            _check(part, factor)


def _check_call(call: Call, factor: Node) -> None:
    if call.function in ONE_COLUMN:
        _check_transform(call)
        _check(call.arguments[0], factor)
        return
    if call.function in TRANSFORMS or call.function == "C":
        raise DistfitError(
            f"the term {_named(factor)} computes with {call.function}(), which makes several columns",
            f"write {call.function}() as a term of its own, or compute it in the data",
        )
    if call.function == "offset":
        raise DistfitError(f"the term {_named(factor)} is no covariate", _offset_option(text_of(call)))
    if call.function in _OF_R:
        raise DistfitError(
            f"the term {_named(factor)} calls {call.function}, which formulas here do not have", _OF_R[call.function]
        )
    if call.function not in FUNCTIONS:
        known = sorted({*FUNCTIONS, *TRANSFORMS, "C"} - {f"np.{name}" for name in _OF_NUMPY}, key=str.lower)
        raise DistfitError(
            f"the term {_named(factor)} calls {quoted(call.function)}", f"formulas know {', '.join(known)}"
        )
    _, count = FUNCTIONS[call.function]
    if len(call.arguments) != count or call.named:
        said = "one argument" if count == 1 else f"{count} arguments"
        raise DistfitError(f"the term {_named(factor)}: {call.function} takes {said}", "compute it in the data")
    for argument in call.arguments:
        _check(argument, factor)


def _offset_option(called: str) -> str:
    """What to write instead of ``offset(x)`` or ``offset(log(x))``."""
    found = re.fullmatch(r"offset\((?:(?:np\.)?(log)\()?([^\W\d][\w.]*)\)+", called)
    if found is None:
        return "compute it as a column of the data, and name that with --offset"
    option = "exposure" if found[1] else "offset"
    return f"take it out of the formula, and add --{option} {found[2]} (from Python: {option}={found[2]!r})"


class Rows:
    """The values of expressions on the rows of ``frame``, which has no missing values; each is computed once.

    ``rows`` [N]: their numbers in the source, for messages. ``states``: of transforms, by their text; those that are
    missing are made where ``fitting`` is true.
    """

    def __init__(self, frame: pd.DataFrame, rows: Ints, states: dict[str, State], fitting: bool = False) -> None:
        self.frame, self.rows, self.states = frame, rows, states
        self._fitting = fitting
        self._known: dict[Node, Any] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def is_words(self, node: Node) -> bool:
        """Whether ``node`` is a column whose values are levels."""
        import pandas as pd

        return isinstance(node, Column) and not pd.api.types.is_numeric_dtype(self.frame[node.name])

    def labels(self, node: Node) -> pd.Series:
        """What is coded by its levels: a column as it is, or what was computed of columns, whole numbers as such."""
        import pandas as pd

        if isinstance(node, Column):
            return self.frame[node.name]
        found = self.numbers(node, node)
        if found.dtype != np.bool_ and np.isfinite(found).all():
            whole = found.astype(np.int64) if np.abs(found).max(initial=0.0) < 2.0**53 else None
            found = whole if whole is not None and (whole == found).all() else found
        return pd.Series(found)

    def columns(self, factor: Node) -> Array:
        """[N, K] of a factor that is not coded by levels."""
        if isinstance(factor, Call) and factor.function in TRANSFORMS:
            return self._transformed(factor)
        if isinstance(factor, Column) and self.is_words(factor):
            words = self.frame[factor.name]
            place = next((i for i, word in enumerate(words) if not is_number(str(word))), 0)
            problem = f"{str(words.iloc[place])!r} is not a number"
            raise RowError(int(self.rows[place]), problem, remedy(str(words.iloc[place])), factor.name)
        found: Array = self.numbers(factor, factor)[:, None]
        return found

    def numbers(self, node: Node, factor: Node) -> Any:
        """[N] numbers or truths. Raises DataError, naming ``factor``, where it makes none."""
        with np.errstate(all="ignore"):
            # log(0) is told with its row, by who looks at all columns.
            found = self._value(node, factor)
        return _numeric(found, factor)

    def _value(self, node: Node, factor: Node) -> Any:
        """An array [N], a number or truth, or text."""
        if node not in self._known:
            self._known[node] = self._computed(node, factor)
        return self._known[node]

    def _computed(self, node: Node, factor: Node) -> Any:
        if isinstance(node, Column):
            column = self.frame[node.name]
            if self.is_words(node):
                return column
            return column.to_numpy(dtype=np.bool_ if column.dtype == np.bool_ else np.float64)
        if isinstance(node, Number):
            # A whole number that float64 does not have is infinite.
            return np.float64(node.value) if abs(node.value) < 1e308 else np.float64(np.inf)
        if isinstance(node, Text | Truth):
            return node.value
        if isinstance(node, Unary):
            value = self._value(node.operand, factor)
            if node.sign == "~":
                return np.logical_not(_truths(value, factor))
            return -_float(value, factor) if node.sign == "-" else _float(value, factor)
        if isinstance(node, Power):
            base, exponent = self._value(node.base, factor), self._value(node.exponent, factor)
            return np.power(_float(base, factor), _float(exponent, factor))
        if isinstance(node, Chain):
            return self._chained(node, factor)
        assert isinstance(node, Call)
        if node.function in TRANSFORMS:
            return self._transformed(node)[:, 0]
        function, _ = FUNCTIONS[node.function]
        if node.function == "I":
            return self._value(node.arguments[0], factor)
        return function(*(_float(self._value(own, factor), factor) for own in node.arguments))

    def _chained(self, node: Chain, factor: Node) -> Any:
        found = self._value(node.first, factor)
        for sign, operand in node.rest:
            other = self._value(operand, factor)
            if sign in _ARITHMETIC:
                found = _ARITHMETIC[sign](_float(found, factor), _float(other, factor))
            elif sign in _LOGIC:
                found = _LOGIC[sign](_truths(found, factor), _truths(other, factor))
            else:
                found = _compared(sign, found, other, factor)
        return found

    def _transformed(self, call: Call) -> Array:
        transform = TRANSFORMS[call.function]
        said = options(call, transform.arguments)
        x = np.asarray(self.numbers(call.arguments[0], call), dtype=np.float64)
        name = text_of(call)
        try:
            if self._fitting and name not in self.states:
                if not np.isfinite(x).all():
                    place = int((~np.isfinite(x)).argmax())
                    raise RowError(
                        int(self.rows[place]),
                        f"{name} is of {x[place]}",
                        "recode the value or leave the row out",
                    )
                self.states[name] = transform.fitted(x, said)
            return transform.columns(x, self.states[name], said)
        except RowError:
            raise
        except Outside as outside:
            raise self._outside(call, outside.place) from None
        except DataError as error:
            raise DataError(f"the term {_named(call)} cannot be computed: {error.problem}", error.hint) from None

    def _outside(self, call: Call, place: int) -> RowError:
        names = sorted(columns_of(call))
        values = ", ".join(f"{name} = {self.frame[name].iloc[place]}" for name in names)
        lies = "its boundary knots" if self._fitting else "the data of the fit"
        return RowError(
            int(self.rows[place]),
            f"{values}: {text_of(call)} says nothing there",
            f"it lies outside of {lies}; leave such rows out, or say extrapolation='clip' or 'extend' in the term",
        )


def _numeric(value: Any, factor: Node) -> Any:
    if _is_words(value):
        word = value if isinstance(value, str) else value.iloc[0]
        problem = f"the term {_named(factor)} computes with words such as {quoted(str(word))}"
        raise DataError(problem, "compare them, as I(x == 'a'), or code them in the data")
    return value


def _is_words(value: Any) -> bool:
    return not isinstance(value, np.ndarray | np.generic | bool | float)


def _float(value: Any, factor: Node) -> Any:
    found = np.asarray(_numeric(value, factor), dtype=np.float64)
    return found if found.ndim else found[()]


def _truths(value: Any, factor: Node) -> Any:
    found = np.asarray(_numeric(value, factor))
    if found.dtype != np.bool_:
        raise DataError(
            f"the term {_named(factor)} has &, | or ~ of what is not true or false", "put brackets around comparisons"
        )
    return found


def _compared(sign: str, left: Any, right: Any, factor: Node) -> Any:
    if _is_words(left) and isinstance(right, str) and not isinstance(left, str) and sign in ("==", "!="):
        found = np.asarray(left.astype(object) == right, dtype=np.bool_)
        return found if sign == "==" else ~found
    return _COMPARISONS[sign](_float(left, factor), _float(right, factor))
