"""One function a relation: records in, rows out, in the column order of ``sql/relations.toml``."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias

from pipeline.flatten.records import Attachment, Document, Inputs, PrincipalRecord, ResourceRecord
from pipeline.iam.grammar import ARN_FIELDS, account_in, arn_fields
from pipeline.iam.model import Condition, Statement
from pipeline.iam.services import is_service_linked_role

Row: TypeAlias = tuple[object, ...]
Rows: TypeAlias = dict[str, list[Row]]

#: Distinct patterns that are remembered: most stand in many statements.
PATTERNS = 1 << 14


def flatten(inputs: Inputs, is_known_key: Callable[[str], bool]) -> Rows:
    """Return the rows of every flattened relation.

    ``is_known_key`` tells whether the service reference knows a condition key. Rows of ``actions`` lack
    ``matched_action_count``, which is counted in SQL.
    """
    is_known_key = lru_cache(maxsize=None)(is_known_key)
    statements = [
        (document, s, f"{document.policy_id}#{s.index}")
        for document in inputs.documents
        for s in document.policy.statements
    ]
    return {
        "accounts": [account[:7] for account in inputs.accounts],
        "account_ancestors": [
            (account.account_id, level, arn, name)
            for account in inputs.accounts
            for level, (arn, name) in enumerate(account.ancestors)
        ],
        "principals": [_principal(principal) for principal in inputs.principals],
        "memberships": list(inputs.memberships),
        "policies": [_policy(document) for document in inputs.documents],
        "attachments": [_attachment(attachment) for attachment in inputs.attachments],
        "statements": [_statement(document, s, statement_id) for document, s, statement_id in statements],
        "actions": [row for _, s, statement_id in statements for row in _actions(s, statement_id)],
        "resources": [row for document, s, statement_id in statements for row in _resources(document, s, statement_id)],
        "conditions": [row for _, s, statement_id in statements for row in _conditions(s, statement_id, is_known_key)],
        "statement_principals": [
            (statement_id, entry.kind, entry.value)
            for _, s, statement_id in statements
            for entry in dict.fromkeys(s.principals)
        ],
        "inventory": [_resource(resource) for resource in inputs.inventory],
        "training_jobs": [(arn, account_in(arn) or None, *others) for arn, *others in inputs.training_jobs],
        "rejects": [(number, *reject) for number, reject in enumerate(inputs.rejects, start=1)],
    }


def _principal(p: PrincipalRecord) -> Row:
    is_service_linked = is_service_linked_role(p.principal_arn)
    return (
        p.principal_arn, p.account_id, p.principal_type, p.principal_name, p.path, p.principal_id, list(p.tags),
        p.boundary_policy_id, is_service_linked, p.created_at, p.last_used_at, bool(p.missing), list(p.missing),
        p.source,
    )  # fmt: skip


def _attachment(a: Attachment) -> Row:
    return (*a[:6], a.policy_arn or "", *a[6:])


def _policy(document: Document) -> Row:
    policy = document.policy
    return (document.policy_id, policy.language_version, document.canonical, len(policy.statements))


def _statement(document: Document, s: Statement, statement_id: str) -> Row:
    return (
        statement_id, document.policy_id, s.index, s.sid, s.effect, s.action_element, s.resource_element,
        s.principal_element, len(merged_conditions(s.conditions)),
    )  # fmt: skip


def _actions(s: Statement, statement_id: str) -> Iterator[Row]:
    for pattern in dict.fromkeys(s.actions):
        yield (statement_id, *_action_pattern(pattern))


@lru_cache(maxsize=PATTERNS)
def _action_pattern(pattern: str) -> Row:
    service = pattern.split(":", 1)[0].lower() if ":" in pattern else None
    return (pattern, service, "*" in pattern or "?" in pattern)


def _resources(document: Document, s: Statement, statement_id: str) -> Iterator[Row]:
    has_variables = document.policy.has_variables
    for pattern in dict.fromkeys(s.resources):
        yield (statement_id, *_resource_pattern(pattern), has_variables and "${" in pattern)


@lru_cache(maxsize=PATTERNS)
def _resource_pattern(pattern: str) -> Row:
    fields = pattern.split(":", ARN_FIELDS - 1)
    if len(fields) < ARN_FIELDS:
        return (pattern, None, None, None, None, pattern)
    return (pattern, *(text or None for text in fields[1:]))


def merged_conditions(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """Return the conditions of a statement, those that stand twice to the letter once."""
    return tuple(dict.fromkeys(conditions))


def _conditions(s: Statement, statement_id: str, is_known_key: Callable[[str], bool]) -> Iterator[Row]:
    for c in merged_conditions(s.conditions):
        yield (
            statement_id, c.operator, c.set_qualifier, c.set_qualifier or "", c.if_exists, c.key, list(c.values),
            is_known_key(c.key),
        )  # fmt: skip


def _resource(resource: ResourceRecord) -> Row:
    _, _, service, region, account, tail = arn_fields(resource.resource_arn) or ("",) * ARN_FIELDS
    resource_type = tail.replace(":", "/").split("/", 1)[0]
    account_id = account or resource.owner
    return (resource.resource_arn, account_id, region or None, service, resource_type, list(resource.tags))
