"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from distfit_counts.errors import OutputError
from distfit_counts.settings import STDOUT

# Of a file's name, what the name of its part holds: file systems end at 255 bytes.
_NAMED = 40
# A disk that is full has no room for so much.
_PROBE = 4096
_OTHER = "name another file"


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the place of ``path`` only when the block ends without an error.

    It is written beside ``path`` under another name and renamed at the end; after an error, a full disk or
    Ctrl-C the earlier file is untouched and nothing half-written is left. Raises OutputError.
    """
    if path == STDOUT:
        yield sys.stdout.buffer
        return
    target = _target(path)
    if _is_device(target):
        # A device or a named pipe cannot be renamed over: it is written as it is.
        try:
            with open(target, "wb") as device:
                yield device
        except OSError as error:
            raise _unwritten(path, error, "whoever reads it has left, or it takes no more") from error
        return
    try:
        descriptor, name = _part(target)
    except (OSError, ValueError) as error:
        raise _unwritten(path, error, "check the folder and its permissions") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield cast(BinaryIO, file)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(name, _mode(target))
            # Before the lock ends: who finds it unlocked takes it for one that was left behind.
            os.replace(name, target)
    except OSError as error:
        left = "the file was left as it was" if target.exists() else "nothing was left there"
        raise _unwritten(path, error, left) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def check(path: Path) -> None:
    """Raises OutputError if ``path`` cannot be written: to be asked before the work, not after it."""
    if path == STDOUT:
        return
    target = _target(path)
    if _is_device(target):
        if not os.access(target, os.W_OK):
            raise OutputError(f"cannot write {path}: it may not be written to", _OTHER)
        return
    try:
        # What root may do, and a file system that is read-only or full forbids, is known when it was tried.
        descriptor, name = _part(target)
        try:
            os.write(descriptor, bytes(_PROBE))
        finally:
            os.close(descriptor)
            os.unlink(name)
    except (OSError, ValueError) as error:
        raise _unwritten(path, error, "check the disk, the folder and its permissions") from error


def _target(path: Path) -> Path:
    """The file that a link leads to. Raises OutputError where none can be: a folder, a loop, a read-only file."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        target = Path(os.path.realpath(path))  # of a link to a file that is still to come, too
        if target.parent.is_dir():
            return target
        problem = f"cannot write {path}: there is no folder {path.parent}"
        raise OutputError(problem, "make the folder first") from None
    except (OSError, ValueError) as error:
        raise _unwritten(path, error, _OTHER) from error
    if stat.S_ISDIR(mode):
        raise OutputError(f"{path} is a directory", "name a file")
    if not stat.S_ISREG(mode):
        return path
    target = Path(os.path.realpath(path))
    _require_writable(path, target, mode)
    return target


def _require_writable(path: Path, target: Path, mode: int) -> None:
    """A new file could take the place of one that is read-only, but whoever made it so meant it."""
    if not mode & 0o222:
        raise OutputError(f"cannot write {path}: the file is read-only", f"make it writable, or {_OTHER}")
    try:
        os.close(os.open(target, os.O_WRONLY))
    except OSError as error:
        raise _unwritten(path, error, f"make it writable, or {_OTHER}") from error


def _is_device(target: Path) -> bool:
    return target.exists() and not target.is_file()


def _part(target: Path) -> tuple[int, str]:
    """A new, locked file beside ``target``, open for writing, and its name.

    It has one name, unless that is taken: what a run left there that was killed, the next one uses up.
    """
    folder, stem = target.parent, f".{target.name[:_NAMED]}"
    name = str(folder / f"{stem}.part")
    descriptor = _claimed(name)
    return (descriptor, name) if descriptor is not None else tempfile.mkstemp(".part", f"{stem}.", folder)


def _claimed(name: str) -> int | None:
    """``name``, empty and locked; None where another run writes there, or somebody else has put something there."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return None
    except OSError:
        if not os.path.lexists(name):
            raise
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        own, there = os.fstat(descriptor), os.lstat(name)
        # It may have become the target of the run that had it.
        if (
            os.path.samestat(own, there)
            and stat.S_ISREG(own.st_mode)
            and (own.st_nlink, own.st_uid) == (1, os.geteuid())
        ):
            os.ftruncate(descriptor, 0)
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _mode(target: Path) -> int:
    """The permissions of the file that is replaced, or those that a new file would get (a part has 0600)."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _unwritten(path: Path, error: Exception, hint: str) -> OutputError:
    reason = error.strerror if isinstance(error, OSError) else None
    return OutputError(f"cannot write {path}: {reason or error}", hint)
