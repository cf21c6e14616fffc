"""Chunks side by side, each in a single one of torch's threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

from distfit_counts.settings import processors

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def one_thread() -> Iterator[None]:
    """Tensors of PIECE_ELEMENTS gain nothing from torch's threads, whose waiting costs up to fifty times the work
    when another program uses the processors.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item], threads: int | None) -> Iterator[Result]:
    """``work`` of every item, in their order, in so many ``threads`` (None: one for each processor)."""
    count = min(threads or processors(), len(items))
    with one_thread():
        if count <= 1:
            yield from map(work, items)
            return
        pool = ThreadPoolExecutor(count)
        try:
            yield from pool.map(work, items)
        finally:
            # After an error, or Ctrl-C, nobody waits for the items that have not begun.
            pool.shutdown(wait=False, cancel_futures=True)
