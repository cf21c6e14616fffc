"""What can go wrong for a user, each kind with what to try next.

The core raises; only the command line prints and chooses the exit code.
"""

from __future__ import annotations

# What Ctrl-C is answered with.
INTERRUPTED = "distfit: interrupted"


class DistfitError(Exception):
    """Something the user can mend. ``hint`` says how; exit code 2."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.problem}\n{self.hint}" if self.hint else self.problem


class DataError(DistfitError):
    """A source that cannot be read as counts: names the source, the row and the value."""


class FamilyError(DistfitError):
    """A family or parameter that does not exist, or that the data cannot follow."""


class OutputError(DistfitError):
    """A result that could not be written; the earlier file, if any, is untouched."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C where something is to be said: ``problem`` says what is kept, ``hint`` how to go on; exit code 130."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint
