"""Where a table lives, as typed, and the form of it that people may see.

A password is taken out of an address at once. Messages, reports and saved models hold ``Address.shown``; what a driver
says goes through ``Address.clean``.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from distfit_counts.data.engines.redaction import MASK, redacted
from distfit_counts.errors import DataError

ENGINES = {"duckdb": "duckdb", "postgres": "postgres", "postgresql": "postgres", "pyspark": "pyspark"}
_FORMS = "write duckdb://FILE, postgres://USER@HOST/DATABASE or pyspark://"
_SECRET_SETTINGS = ("password", "sslpassword")


@dataclass(frozen=True)
class Address:
    """``engine``: a value of ENGINES. ``target``: the DuckDB file or the Spark master, "" for the user's default.

    ``settings``: libpq's keywords for PostgreSQL, the password among them.
    """

    engine: str
    shown: str
    target: str = field(default="", repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)

    def clean(self, text: str) -> str:
        """``text`` without passwords: those of this address, and whatever looks like one."""
        secrets = [self.settings.get(name, "") for name in _SECRET_SETTINGS] + [os.environ.get("PGPASSWORD", "")]
        forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""), repr(secret)[1:-1])}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, MASK)
        return redacted(text)


def parse(address: str) -> Address:
    """Raises DataError for an address that no engine understands; the message holds no part that may be secret, nor
    does a local variable of its traceback, which some programs show.
    """
    try:
        return _parsed(address)
    except DataError as error:
        problem = error.with_traceback(None)
    del address
    raise problem


def _parsed(address: str) -> Address:
    scheme, mark, rest = address.partition("://")
    if not mark:
        raise DataError("--connect: the address names no engine", _FORMS)
    engine = ENGINES.get(scheme)
    if engine is None:
        # Anything may stand before "://", a password too.
        name = f' "{scheme}"' if re.fullmatch(r"[A-Za-z][\w+-]{0,19}", scheme) else ""
        near = difflib.get_close_matches(scheme.lower(), ENGINES, n=1)
        hint = f"did you mean {near[0]}://? {_FORMS}" if near else _FORMS
        raise DataError(f"--connect: unknown engine{name}", hint)
    if engine == "postgres":
        return _postgres(scheme, rest)
    return _duckdb(rest) if engine == "duckdb" else _spark(rest)


def _duckdb(rest: str) -> Address:
    path, question, _ = rest.partition("?")
    shown = redacted(f"duckdb://{path}")
    if question:
        raise DataError(f"{shown}: what follows the ? is not understood", "write duckdb://FILE and nothing more")
    return Address("duckdb", shown, os.path.expanduser("" if path == ":memory:" else path))


def _spark(rest: str) -> Address:
    master = rest.rstrip("/")
    if not re.fullmatch(r"([\w.-]+(:\d+)?(,[\w.-]+(:\d+)?)*)?", master):
        hint = "write pyspark:// for your own configuration, or pyspark://HOST:PORT for a standalone master"
        raise DataError("pyspark://: what follows is no host and port", hint)
    return Address("pyspark", f"pyspark://{master}", master)


def _postgres(scheme: str, rest: str) -> Address:
    user_part, _, place = rest.rpartition("@")
    if re.search(r"[/?#]", user_part):
        hint = "write / ? # @ in a name or password as %2F %3F %23 %40, or give the password in PGPASSWORD"
        raise DataError(f"{scheme}://: a character in the user, password or options cannot stand there", hint)
    place, _, options = place.partition("?")
    # Not urlsplit: its errors name the port, which is the password where an @ was forgotten.
    matched = re.fullmatch(r"(?P<host>\[[^]]+\]|[^:/]*)(?::(?P<port>\d*))?(?:/(?P<dbname>[^#]*))?", place)
    if matched is None:
        raise DataError(f"{scheme}://: host, port and database are not understood", _FORMS)
    user, _, password = user_part.partition(":")
    found = {name: _decoded(scheme, value or "") for name, value in matched.groupdict().items()}
    found |= {"user": _decoded(scheme, user), "password": _decoded(scheme, password)}
    found["host"] = found["host"].strip("[]")
    for option in filter(None, options.split("&")):
        name, sign, value = option.partition("=")
        if not sign:
            raise DataError(f"{scheme}://: an option after the ? has no value", "write NAME=VALUE&NAME=VALUE")
        found[_decoded(scheme, name)] = _decoded(scheme, value)
    at = f"{user}@" if user else ""
    return Address("postgres", f"{scheme}://{at}{place}", "", {name: value for name, value in found.items() if value})


def _decoded(scheme: str, part: str) -> str:
    """What libpq reads: %XX is a byte, and all else itself, a + too, which is a blank in the addresses of the web."""
    try:
        if re.search(r"%(?![0-9A-Fa-f]{2})|%00", part):
            raise ValueError
        return unquote(part, errors="strict")
    except ValueError:
        problem = f"{scheme}://: a % in the address is not followed by the code of a character"
    raise DataError(problem, "write % itself as %25, and other characters as those of UTF-8")
