"""Some work on many items at a time, its results in the order of the items."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int, ended: threading.Event | None = None
) -> Generator[Result, None, None]:
    """``work`` of every item, ``workers`` at a time, and only a few results ahead of the one that is taken.

    An exception is raised in its turn, so the first error is that of the first bad item; what has not begun by then,
    or when the results are no longer taken, is left undone. ``ended`` is set then, for work that has begun to look at.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # Before the pool waits for its threads.
            if ended is not None:
                ended.set()
            for future in waiting:
                future.cancel()
