"""Queries that say models of ``sql/models/marts`` again: where the lake has no view of them, or too wide a one."""

from functools import lru_cache

from pipeline import assets

#: Views that :func:`of_principal` says anew, each after those that it reads.
OF_PRINCIPAL = (
    "profile_cells", "reached_roles", "passable_roles", "profile_dependencies", "profile_gaps", "missing_dependencies",
)  # fmt: skip
#: What of the lake they read then.
THE_PRINCIPAL = """
principal_profiles as materialized (
    from main.principal_profiles
    where principal_arn = $principal
),

profile_cases as materialized (
    from main.profile_cases
    where profile_id in (select profile_id from principal_profiles)
)"""


def owners_of_buckets() -> str:
    """Return the SQL of the relation bucket_owners, for a build and for lakes of flattened relations alone."""
    return f"with known_buckets as ({_model('known_buckets')}) from ({_model('bucket_owners')}) order by all"


def of_principal(query: str) -> str:
    """Return a query with $principal over views of what principals lack and pass, for one principal alone.

    A planner does not see that nothing else is asked of these views, so they read the rows of one profile here. The
    query begins with ``select``.
    """
    models = ", ".join(f"{name} as ({_model(name)})" for name in OF_PRINCIPAL)
    return f"with {THE_PRINCIPAL}, {models} {query}"


@lru_cache(maxsize=16)
def _model(name: str) -> str:
    return assets.text("sql", f"models/marts/{name}.sql")
