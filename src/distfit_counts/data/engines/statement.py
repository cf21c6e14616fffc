"""The one query that --sql holds. Nothing else is sent to an engine."""

from __future__ import annotations

from distfit_counts.data.engines.address import Address
from distfit_counts.errors import DataError


def one_query(sql: str, dialect: str, address: Address) -> str:
    """The query, as ibis's parser writes it. Raises DataError for whatever else ``sql`` is."""
    import sqlglot

    why = "give one query: SELECT ..."
    try:
        found = sqlglot.parse(sql, read=dialect)
        statements = [part for part in found if part is not None and not isinstance(part, sqlglot.exp.Semicolon)]
    except sqlglot.errors.ParseError as error:  # its text quotes the query, in colours
        statements, where = [], error.errors[0]
        # Of its own text nothing that looks like Python; and it is cleaned before "line" can look like a password.
        said = where["description"].rstrip(".") if "<" not in where["description"] else "not understood"
        why = f"{address.clean(said)}: line {where['line']}, column {where['col']} of the query"
    except sqlglot.errors.SqlglotError:
        statements, why = [], "look for a quote that is never closed"
    if len(statements) == 1 and isinstance(statements[0], sqlglot.exp.Values):
        # ibis makes a subquery of it, which VALUES alone is not in sqlglot.
        statements = [sqlglot.parse_one(f"SELECT * FROM ({statements[0].sql(dialect=dialect)}) AS given", read=dialect)]
    if len(statements) != 1 or not isinstance(statements[0], sqlglot.exp.Query):
        raise DataError(f"{address.shown}: --sql is not understood as one query", why)
    return str(statements[0].sql(dialect=dialect))
