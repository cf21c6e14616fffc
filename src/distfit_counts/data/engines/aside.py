"""A thread of its own for what a driver does, so that the caller's can be interrupted, and can show that it waits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
# Seconds between two looks whether the answer is there.
_LOOK = 0.1


class Aside:
    """``cancel()``: ends the call that runs, and says how many seconds that may take. ``waiting()``: called again and
    again while the answer is not there.

    Python hands Ctrl-C to the main thread, wherever that is. In the middle of a driver it may be logged, swallowed, or
    leave a process behind (all three with pyspark); where the main thread only waits, it arrives at once.
    """

    def __init__(self, cancel: Callable[[], float], waiting: Callable[[], None]) -> None:
        self._cancel, self._waiting = cancel, waiting
        self._thread = ThreadPoolExecutor(1, "engine")
        self._call: Future[Any] | None = None

    def do(self, action: Callable[[], T]) -> T:
        """``action()``, and whatever it raises."""
        self._call = call = self._thread.submit(action)
        try:
            while not wait([call], _LOOK).done:
                self._waiting()
        except BaseException:
            with suppress(Exception):
                wait([call], self._cancel())
            raise
        return call.result()

    def end(self, last: Callable[[], None]) -> None:
        """Do ``last``, unless a cancelled call still goes on: it would wait for that."""
        if self._call is None or self._call.done():
            self.do(last)
        self._thread.shutdown(wait=False)
