"""A source -> the mini-batches of every epoch, standardised and shuffled, the same whenever they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from distfit_counts.errors import DistfitError
from distfit_counts.regression.checked import Ints
from distfit_counts.regression.network.block import Block, Source
from distfit_counts.regression.network.prefetch import prefetched
from distfit_counts.regression.network.settings import NetworkSettings
from distfit_counts.regression.network.split import chosen
from distfit_counts.regression.network.summary import Summary

# Rows that are predicted together once the training is over, so that the layers' outputs stay near the processor.
_PIECE = 2**13
# Rows of a stream that are shuffled together.
SHUFFLED_ROWS = 2**17


@dataclass(frozen=True, eq=False)
class Batch:
    """``x`` [n, q], standardised; ``y``, ``weights`` and ``offset`` [n]."""

    x: Tensor
    y: Tensor
    weights: Tensor
    offset: Tensor | None

    @classmethod
    def of(cls, block: Block) -> Batch:
        offset = None if block.offset is None else torch.from_numpy(np.ascontiguousarray(block.offset))
        y, weights = (torch.from_numpy(np.ascontiguousarray(values)) for values in (block.y, block.weights))
        return cls(torch.from_numpy(block.x), y, weights, offset)

    @cached_property
    def total(self) -> float:
        return float(self.weights.sum())

    @cached_property
    def share(self) -> Tensor:
        """Weights that sum to 1."""
        return self.weights / self.total

    def pieces(self, size: int) -> Iterator[Batch]:
        """In their order, ``size`` rows at a time."""
        offset = (None,) * -(-len(self.y) // size) if self.offset is None else self.offset.split(size)
        parts = (self.x.split(size), self.y.split(size), self.weights.split(size), offset)
        yield from map(Batch, *parts)


@dataclass(frozen=True, eq=False)
class Feed:
    """The training rows of ``source``, epoch by epoch."""

    source: Source
    settings: NetworkSettings
    summary: Summary

    def __post_init__(self) -> None:
        """Raises DistfitError."""
        if self.settings.batch_size is None and not self.source.in_memory:
            raise DistfitError("a stream is never there as a whole", "give a batch size")

    def epoch(self, number: int) -> Iterator[Batch]:
        """Every training row once. An epoch's order depends on the seed and its number alone."""
        size = self.settings.batch_size
        if size is None:
            yield self._held[1]
            return
        rng = np.random.default_rng([self.settings.seed, number])
        if not self.source.in_memory:
            for buffer in prefetched(lambda: self._buffers(rng, size)):
                yield from buffer.pieces(size)
        else:
            held = self._held[0]
            order = rng.permutation(len(held.y))
            # Gathered a buffer at a time: a copy of everything would double the memory.
            for first in range(0, len(order), step := max(SHUFFLED_ROWS // size, 1) * size):
                yield from Batch.of(_taken(held, order[first : first + step])).pieces(size)

    def rows(self) -> Iterator[Batch]:
        """Every training row once, in the order of the source, a bounded number at a time."""
        blocks = [self._held[0]] if self.source.in_memory else map(self._standard, self.source.blocks())
        for block in blocks:
            if len(block.y):
                yield from Batch.of(block).pieces(_PIECE)

    @cached_property
    def _held(self) -> tuple[Block, Batch]:
        block = Block.join([self._standard(block) for block in self.source.blocks()])
        return block, Batch.of(block)

    def _buffers(self, rng: np.random.Generator, size: int) -> Iterator[Batch]:
        """Shuffled rows of the stream, a multiple of ``size`` at a time until the last."""
        waiting: list[Block] = []
        rows = 0
        for block in self.source.blocks(rng):
            waiting.append(self._standard(block))
            rows += len(waiting[-1].y)
            if rows >= max(SHUFFLED_ROWS, size):
                joined = _shuffled(waiting, rng)
                ready = rows // size * size
                yield Batch.of(joined[slice(0, ready)])
                waiting, rows = [joined[slice(ready, rows)]], rows - ready
        if rows:
            yield Batch.of(_shuffled(waiting, rng))

    def _standard(self, block: Block) -> Block:
        if self.summary.share:
            block = block[~chosen(block.rows, self.settings.seed, self.summary.share)]
        return self.summary.standard.of(block)


def _shuffled(parts: list[Block], rng: np.random.Generator) -> Block:
    joined = Block.join(parts)
    return _taken(joined, rng.permutation(len(joined.y)))


def _taken(block: Block, order: Ints) -> Block:
    # take, unlike indexing by an array, is a plain gather of rows, and other threads go on meanwhile.
    offset = None if block.offset is None else block.offset.take(order)
    x, y, weights = block.x.take(order, axis=0), block.y.take(order), block.weights.take(order)
    return Block(x, y, weights, offset, block.rows.take(order))
