"""Picks rows of the flattened relations as Arrow tables, by their documents or the files that they were read from."""

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.ingest.documents import POLICY_ID_DIGITS

OF_STATEMENTS = ("statements", "actions", "resources", "conditions", "statement_principals")
OF_DOCUMENTS = ("policies", *OF_STATEMENTS)
OF_ACCOUNTS = ("principals", "memberships", "attachments")

#: Tables by relation.
Tables = dict[str, pa.Table]


def texts(values: Collection[str | None]) -> pa.Array:
    """Return texts in order; None is left out."""
    return pa.array(sorted(value for value in values if value is not None), pa.string())


def only(table: pa.Table, column: str, values: Collection[str | None]) -> pa.Table:
    """Return the rows whose column has one of the values."""
    return table.filter(pc.is_in(table[column], value_set=texts(values)))


def without(table: pa.Table, column: str, values: Collection[str | None]) -> pa.Table:
    """Return the rows whose column has none of the values."""
    return table.filter(pc.invert(pc.is_in(table[column], value_set=texts(values))))


def documents_of(statements: pa.Table) -> pa.ChunkedArray:
    """Return the documents of rows of statements: a statement's id begins with its document's."""
    return pc.utf8_slice_codeunits(statements["statement_id"], 0, POLICY_ID_DIGITS)


def only_documents(tables: Mapping[str, pa.Table], policy_ids: Collection[str]) -> Tables:
    """Return the tables of documents with these ids, and no others."""
    return _documents(tables, policy_ids, are_kept=True)


def without_documents(tables: Mapping[str, pa.Table], policy_ids: Collection[str]) -> Tables:
    """Return all tables without the rows of these documents."""
    if not policy_ids or "policies" not in tables:
        return dict(tables)
    return {**tables, **_documents(tables, policy_ids, are_kept=False)}


def _documents(tables: Mapping[str, pa.Table], policy_ids: Collection[str], *, are_kept: bool) -> Tables:
    named = texts(policy_ids)
    found = {}
    for name in OF_DOCUMENTS:
        owners = tables[name]["policy_id"] if name == "policies" else documents_of(tables[name])
        inside = pc.is_in(owners, value_set=named)
        found[name] = tables[name].filter(inside if are_kept else pc.invert(inside))
    return found


def without_accounts(tables: Mapping[str, pa.Table], sources: Collection[str]) -> Tables:
    """Return the tables without what was read of accounts in these files."""
    kept = dict(tables)
    if sources:
        kept |= {name: without(tables[name], "source", sources) for name in ("principals", "attachments")}
        left = kept["principals"]["principal_arn"].combine_chunks()
        users = tables["memberships"]["user_arn"]
        kept["memberships"] = tables["memberships"].filter(pc.is_in(users, value_set=left))
    return kept


def joined(tables: Sequence[Mapping[str, pa.Table]]) -> Tables:
    """Return tables below each other, by relation."""
    names = dict.fromkeys(name for some in tables for name in some)
    return {name: pa.concat_tables([some[name] for some in tables if name in some]) for name in names}


def beside(tables: Mapping[str, pa.Table], others: Mapping[str, pa.Table]) -> Tables:
    """Return tables with those rows of ``others`` that are about documents and principals that they do not have."""
    missing = without_documents(others, tables["policies"]["policy_id"].to_pylist())
    if "attachments" in missing:
        known = tables["principals"]["principal_arn"].combine_chunks()
        of_known = pc.is_in(missing["attachments"]["target_arn"], value_set=known)
        missing["attachments"] = missing["attachments"].filter(pc.invert(of_known))
    return joined([tables, missing])


def marked(principals: pa.Table, lacking: Mapping[str, tuple[str, ...]]) -> pa.Table:
    """Add to principals what is missing of their accounts, by account."""
    if not lacking:
        return principals
    concerned = pc.fill_null(pc.is_in(principals["account_id"], value_set=texts(lacking.keys())), False)
    rows = principals.filter(concerned).to_pylist()
    for row in rows:
        row["missing"] = sorted({*row["missing"], *lacking[row["account_id"]]})
        row["is_incomplete"] = bool(row["missing"])
    added = pa.Table.from_pylist(rows, schema=principals.schema)
    return pa.concat_tables([principals.filter(pc.invert(concerned)), added])
