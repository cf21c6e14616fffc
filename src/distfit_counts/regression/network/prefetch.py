"""The next items are made in a second thread while the present one is used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

# Items that wait: one being used, one ready, one in the making are enough.
_DEPTH = 2


def prefetched(make: Callable[[], Iterable[Item]]) -> Iterator[Item]:
    """The items of ``make()``, in their order; what it raises is raised here. Its thread ends with this generator."""
    waiting: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(_DEPTH)
    left = threading.Event()

    def put(item: Item | None, error: BaseException | None = None) -> bool:
        while not left.is_set():
            try:
                waiting.put((item, error), timeout=0.05)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in make():
                if not put(item):
                    return
            put(None)
        except BaseException as error:
            put(None, error)

    thread = threading.Thread(target=work, daemon=True, name="prefetch")
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        left.set()
        thread.join()
