"""The bytes of one file or of stdin: decompressed, looked at before they are read, counted for progress."""

from __future__ import annotations

import gzip
import os
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import IO, Any, BinaryIO

from distfit_counts.errors import DataError

Progress = Callable[[int, int | None], None]
_CODECS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
_READ_STEP = 1 << 24
# Unpacked bytes that are looked at again for damage: a few seconds.
_LOOKED_THROUGH = 1 << 30


class Meter:
    """Adds up the bytes read over all files of a source and tells ``progress`` after every read."""

    def __init__(self, progress: Progress | None, total: int | None) -> None:
        self.progress = progress
        self.total = total
        self.done = 0
        # Files that are read side by side share it.
        self._lock = threading.Lock()

    def advance(self, n: int) -> None:
        if n and self.progress is not None:
            with self._lock:
                self.done += n
                self.progress(self.done, self.total)


class _Counted:
    """A raw binary file that reads exactly ``n`` bytes (short only at the end) and reports them."""

    closed = False

    def __init__(self, raw: IO[bytes], meter: Meter) -> None:
        self._raw = raw
        self._meter = meter
        self._done = 0

    def read(self, n: int) -> bytes:
        parts: list[bytes] = []
        missing = n
        # A pipe gives what it has, often 64 KiB. At most so much at once: a damaged Arrow stream may ask for anything.
        while missing and (part := self._raw.read(min(missing, _READ_STEP))):
            parts.append(part)
            missing -= len(part)
            self.advance_to(self._done + len(part))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def advance_to(self, done: int) -> None:
        if done > self._done:
            self._meter.advance(done - self._done)
            self._done = done

    def close(self) -> None:
        """The owner of the raw file closes it."""


class ByteStream:
    """Decompressed bytes of one open file. ``name`` is for messages; ``path`` is None for stdin."""

    def __init__(self, name: str, path: str | None, raw: IO[bytes], meter: Meter) -> None:
        self.name = name
        self.path = path
        self._raw = raw
        # What is read ahead in another thread may not be over when a bad row ends the work.
        self._lock = threading.Lock()
        self._copy: IO[bytes] | None = None
        self._counted = _Counted(raw, meter)
        self._head = self._counted.read(1 << 16)
        self._source: Any = self._counted
        self.compressed = next((codec for magic, codec in _CODECS.items() if self._head.startswith(magic)), None)
        if self.compressed:
            self._source = _decompressed(self._head, self._counted, self.compressed)
            self._head = b""
            self.peek(1)

    def peek(self, n: int) -> bytes:
        """The first ``n`` unread bytes (fewer only at the end), still to be read afterwards."""
        while len(self._head) < n:
            more = self._source.read(n - len(self._head))
            if not more:
                break
            self._head += more
        return self._head[:n]

    def read(self, n: int) -> bytes:
        """The next ``n`` bytes, fewer only at the end, none at the end."""
        with self._lock:
            if not self._head:
                return bytes(self._source.read(n))
            taken, self._head = self._head[:n], self._head[n:]
            return taken if len(taken) == n else taken + bytes(self._source.read(n - len(taken)))

    def look_for_damage(self) -> None:
        """Unpack the rest of a compressed file. Raises what its codec raises where the file is damaged."""
        if self.compressed and self.path is not None:
            left = _LOOKED_THROUGH
            while step := self.read(min(_READ_STEP, left)):
                left -= len(step)

    def seekable(self) -> str | IO[bytes]:
        """The same bytes where one can seek: the path of a plain file, or a temporary copy of a pipe."""
        if self.path is not None and not self.compressed and self._raw.seekable():
            return self.path
        self._copy = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the stream; see close
        while step := self.read(_READ_STEP):
            self._copy.write(step)
        self._copy.seek(0)
        return self._copy

    def close(self) -> None:
        """Remove the temporary copy, if there is one. The file itself belongs to who opened it."""
        if self._copy is not None:
            self._copy.close()

    def report(self, fraction: float) -> None:
        """Progress of a reader that takes its bytes elsewhere (``seekable``): this part of the file is done."""
        size = os.path.getsize(self.path) if self.path is not None else 0
        self._counted.advance_to(int(size * fraction))


class _Replay:
    """The bytes already read, then the rest of the file."""

    closed = False

    def __init__(self, head: bytes, rest: _Counted) -> None:
        self._head = head
        self._rest = rest

    def read(self, n: int) -> bytes:
        if not self._head:
            return self._rest.read(n)
        taken, self._head = self._head[:n], self._head[n:]
        return taken

    def close(self) -> None:
        """Nothing to close."""


def _decompressed(head: bytes, rest: _Counted, codec: str) -> Any:
    import pyarrow as pa

    replay: Any = _Replay(head, rest)
    if codec == "gzip":
        # As fast as pyarrow's, and it knows the zeros with which a last block may be filled.
        return gzip.GzipFile(fileobj=replay, mode="rb")
    # Buffered: otherwise every step of unpacking asks Python for another 64 KiB.
    return pa.CompressedInputStream(pa.BufferedInputStream(pa.PythonFile(replay, mode="r"), 1 << 20), codec)


@contextmanager
def open_bytes(name: str, path: str | None, stdin: BinaryIO | None, meter: Meter) -> Iterator[ByteStream]:
    """Open a file, or stdin where ``path`` is None. Every failure of reading becomes a DataError about ``name``."""
    with damage_as_data_error(name):
        if path is None:
            if stdin is None:
                import sys

                if sys.stdin is None or sys.stdin.closed:
                    raise DataError("stdin is closed", "pipe the counts into it, or name a file")
                stdin = sys.stdin.buffer
            with closing(ByteStream(name, None, stdin, meter)) as stream:
                yield stream
        else:
            with (
                open(path, "rb", buffering=0) as raw,
                closing(ByteStream(name, path, raw, meter)) as stream,
                _damage_before_rows(stream),
            ):
                yield stream


@contextmanager
def _damage_before_rows(stream: ByteStream) -> Iterator[None]:
    """What a damaged file is unpacked to often looks like a bad table, before its codec notices."""
    try:
        yield
    except DataError:
        stream.look_for_damage()
        raise


@contextmanager
def damage_as_data_error(name: str) -> Iterator[None]:
    """What pyarrow, zlib and the file system raise while ``name`` is read, as one DataError."""
    import pyarrow as pa

    try:
        yield
    except PermissionError as error:
        raise DataError(f"{name}: permission denied", "check who may read it (ls -l), or copy it") from error
    except pa.ArrowNotImplementedError as error:
        what = str(error).strip().splitlines()[0][:200]
        raise DataError(
            f"{name}: pyarrow {pa.__version__} cannot read this ({what})", "save it as CSV or Parquet"
        ) from error
    except (pa.ArrowException, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(f"{name}: cannot be read ({error.strerror})", "check the path and the disk") from error
        first = str(error).strip().splitlines()[0:1] or [type(error).__name__]
        hint = "write or download it again; a program may still be writing it"
        raise DataError(f"{name}: damaged or cut short ({first[0][:200]})", hint) from error
