"""What all saved models have in common: a file of strict JSON with a schema, and a digest of every record in it."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distfit_counts.budget import free_memory, require_memory
from distfit_counts.errors import DistfitError
from distfit_counts.records import Damaged, digest_of

_REGRESSION = "distfit.regression_model/"
_DIGEST = "digest"
# Python's objects take so many times the bytes of their JSON, measured with 20,000 fits.
_BYTES_PER_BYTE = 10
AGAIN = "save the model again"


def read(path: str | Path, hint: str) -> dict[str, Any]:
    """The record in ``path``. Raises DistfitError, with ``hint``, where there is none."""
    try:
        found = Path(path).stat()
        if not stat.S_ISREG(found.st_mode):
            # A device or a pipe may never end.
            what = "a directory" if stat.S_ISDIR(found.st_mode) else "a device or a pipe"
            raise DistfitError(f"{path} is no saved model: it is {what}", hint)
        require_memory(found.st_size * _BYTES_PER_BYTE, free_memory(), f"{path}: its contents", hint)
        record = json.loads(Path(path).read_bytes(), parse_constant=_no_number, object_pairs_hook=_object)
    except OSError as error:
        raise DistfitError(f"cannot read {path}: {error.strerror}", hint) from error
    except Damaged as error:
        raise DistfitError(f"{path} is no saved model: {error}", hint) from error
    except ValueError as error:
        raise DistfitError(f"{path} is no saved model: it is not JSON", hint) from error
    except RecursionError:
        raise DistfitError(f"{path} is no saved model: it is nested too deep", hint) from None
    return record if isinstance(record, dict) else {}


def _no_number(text: str) -> float:
    raise Damaged(f"{text} is no number of JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for i, (name, _) in enumerate(pairs) if any(name == other for other, _ in pairs[:i]))
        raise Damaged(f"{twice!a} stands twice in one object")
    return found


def is_regression(record: Mapping[str, Any]) -> bool:
    """Whether it was written by ``distfit regress --save``."""
    return str(record.get("schema")).startswith(_REGRESSION)


def sealed(record: dict[str, Any]) -> dict[str, Any]:
    """``record`` with a digest of what it holds."""
    return record | {_DIGEST: digest_of(record)}


def unsealed(record: Any) -> tuple[Any, bool]:
    """What ``sealed`` was given, and whether there is a digest: who changes a record by hand takes it out. Raises
    Damaged where it is that of something else.
    """
    if not isinstance(record, dict) or _DIGEST not in record:
        return record, False
    bare = {name: value for name, value in record.items() if name != _DIGEST}
    if record[_DIGEST] != digest_of(bare):
        raise Damaged('what is written there was changed since; who means that takes "digest" out', f".{_DIGEST}")
    return bare, True


@contextmanager
def damage_told(path: str | Path) -> Iterator[None]:
    """Says of what cannot be in a saved model in which file it is."""
    try:
        yield
    except Damaged as error:
        raise DistfitError(f"{path} is damaged: {error}", AGAIN) from error
    except RecursionError:
        raise DistfitError(f"{path} is damaged: something is nested too deep", AGAIN) from None
    except DistfitError as error:
        # A formula, a family or a setting that cannot be: only the file says where they came from.
        raise DistfitError(f"{path} is damaged: {error.problem}", AGAIN) from error
