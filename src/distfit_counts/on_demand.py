"""Results of many columns that are put together one by one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

Result = TypeVar("Result")


class OnDemand(Sequence[Result]):
    """A sequence whose members are made when they are asked for; those that ``_costly`` are kept."""

    def __init__(self, length: int, costly: bool) -> None:
        self._length, self._costly = length, costly
        self._kept: dict[int, Result] = {}

    @abstractmethod
    def _made(self, index: int) -> Result: ...

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Result: ...
    @overload
    def __getitem__(self, index: slice) -> list[Result]: ...
    def __getitem__(self, index: int | slice) -> Result | list[Result]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        if index in self._kept:
            return self._kept[index]
        found = self._made(index)
        if self._costly:
            self._kept[index] = found
        return found

    def __iter__(self) -> Iterator[Result]:
        return (self[i] for i in range(len(self)))
