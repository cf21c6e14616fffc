"""How many of torch's threads a fit uses: one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


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
