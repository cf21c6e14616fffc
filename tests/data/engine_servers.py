"""Servers that a test starts on loopback, for real, and ends, whatever happens."""

from __future__ import annotations

import contextlib
import glob
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

LOOPBACK = "127.0.0.1"


def missing(what: str) -> NoReturn:
    """Skips; fails where DISTFIT_REQUIRE_ENGINES says that nothing may be skipped, as CI does."""
    if os.environ.get("DISTFIT_REQUIRE_ENGINES"):
        pytest.fail(f"{what}, and DISTFIT_REQUIRE_ENGINES is set", pytrace=False)
    pytest.skip(what, allow_module_level=True)


def require_packages(*names: str, extra: str) -> None:
    absent = [name for name in names if importlib.util.find_spec(name) is None]
    if absent:
        missing(f'no {", ".join(absent)}: pip install "distfit-counts[{extra}]"')


def free_port() -> int:
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        return int(found.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[Any], log: Path) -> None:
    wait_for(lambda: socket.create_connection((LOOPBACK, port), 1).close(), OSError, process, log)


def wait_for(answer: Callable[[], object], refusal: type[Exception], process: subprocess.Popen[Any], log: Path) -> None:
    """Until ``answer()`` no longer raises ``refusal``."""
    end = time.monotonic() + 90
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(refusal):
            answer()
            return
        time.sleep(0.1)
    raise AssertionError(f"it does not answer: {log.read_text()[-2000:]}")


def end_group(process: subprocess.Popen[Any], how: int = signal.SIGKILL) -> None:
    """Ends a process that leads a group, and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


@dataclass(frozen=True)
class PostgreSQL:
    port: int
    password: str
    connection: Any  # of the superuser, psycopg's

    def address(self, user: str = "ana", password: str | None = None) -> str:
        word = self.password if password is None else password
        return f"postgres://{user}:{word}@{LOOPBACK}:{self.port}/hospital"


@contextlib.contextmanager
def postgresql(password: str) -> Iterator[PostgreSQL]:
    """A server with the database ``hospital`` and the user ``ana``, who may read and no more."""
    import psycopg

    found = shutil.which("postgres") or next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))[::-1]), None)
    if found is None:
        missing("no PostgreSQL")
    programs = Path(found).parent
    # Not pytest's folder, which only its owner may enter: the server refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="distfit-postgres-"))
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        account = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        shutil.chown(folder, "nobody", "nogroup")
    (folder / "word").write_text(password)
    (folder / "word").chmod(0o644)
    data, log = folder / "data", folder / "log"
    port = free_port()
    process = None
    try:
        make = ["-D", str(data), "-U", "boss", "-A", "scram-sha-256", "--pwfile", str(folder / "word")]
        command = [str(programs / "initdb"), *make, "--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **account)
        settings = {"listen_addresses": LOOPBACK, "port": port, "unix_socket_directories": "", "fsync": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with log.open("wb") as out:
            command = [str(programs / "postgres"), "-D", str(data), *options]
            process = subprocess.Popen(command, stderr=out, stdout=out, cwd=folder, start_new_session=True, **account)
        boss = {"host": LOOPBACK, "port": port, "user": "boss", "password": password, "autocommit": True}
        # It listens before it lets anyone in.
        first_in = partial(psycopg.connect, dbname="postgres", **boss)
        wait_for(lambda: first_in().close(), psycopg.OperationalError, process, log)
        with first_in() as first:
            first.execute("CREATE DATABASE hospital")
            first.execute(f"CREATE USER ana PASSWORD '{password}'")
        with psycopg.connect(dbname="hospital", **boss) as connection:
            # As on a server that lets readers read and no more: no temporary tables, no views.
            connection.execute("REVOKE TEMPORARY ON DATABASE hospital FROM PUBLIC")
            yield PostgreSQL(port, password, connection)
    finally:
        if process is not None:
            end_group(process, signal.SIGINT)  # "fast shutdown"
        shutil.rmtree(folder)
