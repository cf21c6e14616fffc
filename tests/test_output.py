"""Files appear whole or not at all; what is said where one does not."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from distfit_counts.errors import OutputError
from distfit_counts.output import whole_file


@pytest.mark.parametrize(("before", "said"), [(b"earlier", "left as it was"), (None, "nothing was left there")])
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes | None, said: str) -> None:
    path = tmp_path / "a.csv"
    if before is not None:
        path.write_bytes(before)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device") as caught, whole_file(path) as file:
        file.write(b"half of ")
    assert said in caught.value.hint
    assert [found.read_bytes() for found in tmp_path.iterdir()] == ([] if before is None else [before])
