"""What PostgreSQL, DuckDB and Spark complain about: in one line, and what to do about it."""

from __future__ import annotations

import re

_LONGEST = 300
_OWN_CLIENT = "that is what the engine says; try the query in its own client"
# The first that matches.
_REMEDIES = (
    (r"password authentication failed|no password supplied", "give the password in PGPASSWORD or in ~/.pgpass"),
    (r"server does not support SSL", "the server offers no encryption: leave out sslmode, or have it turned on there"),
    (r"connection is lost|terminating connection|server closed the connection|connection has been closed",
     "the server ended it, and its log says why; run it again"),
    (r"connection refused|timeout expired|could not translate host|failed to resolve|No route to host|unreachable",
     "check host and port, and that the server runs and lets you in"),
    (r"(database|role) \".*\" does not exist", "check the user and the database in the address"),
    (r"cross-database references", "name that database in the address"),
    (r"invalid connection option", "the options after the ? are those of libpq, such as sslmode=require"),
    (r"permission denied", "ask the owner of the table for the right to SELECT"),
    (r"Could not set lock|Conflicting lock", "another program is writing to the file; close it, or read a copy"),
    (r"Out of Memory Error", "raise --memory; counts have few distinct values, measurements and identifiers many"),
    (r"Failed to download extension",
     "DuckDB fetches an extension when it is first used: INSTALL it beforehand, where there is a network"),
    (r"JAVA_GATEWAY_EXITED|Java gateway process exited", "Spark needs Java 17 or newer: install it, or set JAVA_HOME"),
    (r"PATH_NOT_FOUND", "check the path; without a scheme it is one of Spark's default file system"),
    (r"UNABLE_TO_INFER_SCHEMA|not a Parquet file|CANNOT_READ_FILE_FOOTER",
     "give a Parquet file, or a directory of Parquet or Delta files; others with --sql 'SELECT * FROM csv.`PATH`'"),
    (r"data source: delta", "this is a Delta table: add io.delta:delta-spark to spark.jars.packages of your Spark"),
    (r"Job aborted|SparkContext was shut down|stopped SparkContext|ExecutorLost|Connection reset|ANSWER_FROM_JAVA",
     "the cluster gave up; look at its log, and run it again"),
)  # fmt: skip
_UNKNOWN_NAME = r"does ?n[o']t exist|cannot be found|not found|UNRESOLVED|pars|syntax|Binder"


def remedy(said: str, asked: str) -> str:
    """What to do. ``asked``: the option that said what to count."""
    for pattern, found in _REMEDIES:
        if re.search(pattern, said, re.IGNORECASE):
            return found
    if not re.search(_UNKNOWN_NAME, said, re.IGNORECASE):
        return _OWN_CLIENT
    return "check the query given with --sql" if asked == "--sql" else "check the name given with --table"


def in_one_line(error: Exception) -> str:
    """What a driver says: the first paragraph, without the query, a plan or a Java stack."""
    lines = [line.strip() for line in str(error).strip().splitlines()]
    if lines and lines[0].startswith("An error occurred while calling"):  # py4j
        lines = [lines[1].removeprefix(": ")] if len(lines) > 1 else []
    kept: list[str] = []
    for line in lines:
        if not line or re.match(r"LINE \d|at |==|'|\+-|\^", line):
            break
        kept.append(line)
    text = re.sub(r"; line \d+ pos \d+;.*", "", " ".join(kept)) or type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
