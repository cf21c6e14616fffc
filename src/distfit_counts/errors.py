"""What can go wrong for a user, each kind with what to try next.

The core raises; only the command line prints and chooses the exit code.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from distfit_counts.printable import printable

# The exit code of an error of ours: EX_SOFTWARE of sysexits.h.
INTERNAL = 70
_PACKAGE = Path(__file__).resolve().parent
# Of what an exception says.
_LONGEST = 300
# What Ctrl-C is answered with.
INTERRUPTED = "distfit: interrupted"


class DistfitError(Exception):
    """Something the user can mend. ``hint`` says how; exit code 2."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        # Tracebacks and notebooks print it: names of columns and files do not steer them.
        problem, hint = printable(self.problem), printable(self.hint)
        return f"{problem}\n{hint}" if hint else problem


class DataError(DistfitError):
    """A source that cannot be read as counts: names the source, the row and the value."""


class FamilyError(DistfitError):
    """A family or parameter that does not exist, or that the data cannot follow."""


class OptionError(DistfitError, TypeError):
    """An option of a function that it does not have."""


class OutputError(DistfitError):
    """A result that could not be written; the earlier file, if any, is untouched."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C where something is to be said: ``problem`` says what is kept, ``hint`` how to go on; exit code 130."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


# What torch says, of an allocation in main memory; of one on a device it raises its own OutOfMemoryError.
_OUT_OF_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "std::bad_alloc",
    "Storage size calculation overflowed",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory has run out: NumPy, Arrow and Python raise a MemoryError, torch a RuntimeError that says so."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in _OUT_OF_MEMORY)


def internal_error(error: BaseException) -> str:
    """One line about an exception that no user can mend: what and where it was, and how to report it. With
    DISTFIT_DEBUG=1 in the environment, its traceback before.
    """
    from distfit_counts import __version__
    from distfit_counts.data.engines.redaction import redacted

    own = [frame for frame in traceback.extract_tb(error.__traceback__) if _PACKAGE in Path(frame.filename).parents]
    where = f" ({Path(own[-1].filename).relative_to(_PACKAGE)}, line {own[-1].lineno})" if own else ""
    said = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    line = (
        f"distfit: an error of distfit {__version__}: {said[:_LONGEST]}{where}; "
        "DISTFIT_DEBUG=1 shows the traceback; please report it to the project distfit-counts, with the command"
    )
    if os.environ.get("DISTFIT_DEBUG", "0") not in ("", "0"):
        line = "".join(traceback.format_exception(error)) + line
    return "\n".join(map(printable, redacted(line).split("\n")))
