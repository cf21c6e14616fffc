"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from distfit_counts.errors import OutputError


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the place of ``path`` only when the block ends without an error.

    It is written beside ``path`` under another name and renamed at the end; after an error, a full disk or
    Ctrl-C the earlier file is untouched and nothing half-written is left. Raises OutputError.
    """
    check(path)
    if path.exists() and not path.is_file():
        # A device or a named pipe cannot be renamed over: /dev/stdout is written as it is.
        with open(path, "wb") as device:
            yield device
        return
    target = path.resolve() if path.is_symlink() else path
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {_reason(error)}", "check the folder and its permissions") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield cast(BinaryIO, file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, _mode(target))
        os.replace(name, target)
    except OSError as error:
        left = "the file was left as it was" if target.exists() else "nothing was left there"
        raise OutputError(f"cannot write {path}: {_reason(error)}", left) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def check(path: Path) -> None:
    """Raises OutputError if ``path`` can never be written: to be asked before the work, not after it."""
    if path.is_dir():
        raise OutputError(f"{path} is a directory", "name a file")
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {path.parent}", "make the folder first")


def _mode(target: Path) -> int:
    """The permissions of the file that is replaced, or those that a new file would get (mkstemp gives 0600)."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
