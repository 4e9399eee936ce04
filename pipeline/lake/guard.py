"""Tells queries from statements that change something. Looks at the text alone."""

import duckdb

from pipeline.errors import PolicylakeError
from pipeline.lake import duck

QUERY = duckdb.StatementType.SELECT
REFUSAL = "sql: one query is expected (select, with, from, describe, pivot, explain); give one without changes"
#: Words that a query begins with. PIVOT becomes several statements, whose kind does not tell what the last one is.
OPENINGS = ("pivot", "select", "with", "from", "(")


def check_text(sql: str) -> None:
    """Raise PolicylakeError for a text of which a part is no text: bytes of a command line that are no UTF-8."""
    if not sql.isascii() and sql != sql.encode(errors="replace").decode():
        raise PolicylakeError("sql: the text holds bytes that are no characters; give it as UTF-8")


def check(connection: duck.Connection, sql: str, refusal: str = REFUSAL) -> None:
    """Raise PolicylakeError, with ``refusal``, unless the text is a single query.

    Explaining is a query only if what it explains is one: EXPLAIN ANALYZE runs its statement.
    """
    check_text(sql)
    statements = connection.extract_statements(sql)
    kind = statements[0].type if len(statements) == 1 else None
    if kind == duckdb.StatementType.EXPLAIN:
        is_query = _is_query_explained(connection, sql)
    elif kind == duckdb.StatementType.MULTI:
        is_query = next(iter(_parts(sql)), "").lower().startswith(OPENINGS)
    else:
        is_query = kind == QUERY
    if not is_query:
        raise PolicylakeError(refusal)


def _parts(sql: str) -> list[str]:
    """Return the rest of the text from each token on, comments apart."""
    text = sql.encode()
    tokens = [offset for offset, kind in duckdb.tokenize(sql) if kind != duckdb.token_type.comment]
    return [text[offset:].decode() for offset in tokens]


def _is_query_explained(connection: duck.Connection, sql: str) -> bool:
    """After EXPLAIN and its options comes the first rest that is a statement."""
    for rest in _parts(sql)[1:]:
        try:
            statements = connection.extract_statements(rest)
        except duckdb.Error:
            continue
        return [statement.type for statement in statements] == [QUERY]
    return False
