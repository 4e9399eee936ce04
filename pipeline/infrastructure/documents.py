"""Finds policies of resources among arguments that no reader knows, by their shape and by their names."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

#: Arguments that hold policies of resources, in the spelling of Terraform and of CloudFormation.
POLICY = re.compile(r"policy|\w*_policy|access_policies|\w*policy_document|policy_text")
#: Arguments of that form that give no access.
HARMLESS = re.compile(
    r"(?:redrive|redrive_allow|delivery|lifecycle|retry|filter|restart|retention|deletion|update|replace|update_replace|"
    r"scaling|ssl|ssl_negotiation|security|password|backup|eviction|termination|auto_scaling|\w*lifecycle|\w*retention|"
    r"\w*scaling)_policy"
)
WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
WHO = {"Principal", "NotPrincipal"}
#: Holds lists of accounts and networks in AWS::Serverless::Api.
OF_SAM = "ResourcePolicy"
WHAT = {"Effect", "Action", "NotAction", "Rules"}
#: Arguments that say as which role something runs.
ROLE = re.compile(r"(?:\w+_)?roles?(?:_arns?|_names?)?|(?:\w+_)?instance_profile(?:_arn|_name)?")


def roles_in(value: Any, name: str = "") -> Iterator[str]:
    """Yield the texts below arguments that are called like roles."""
    spelt = WORD.sub("_", name).lower()
    if isinstance(value, dict):
        for key, one in value.items():
            yield from roles_in(one, name if ROLE.fullmatch(spelt) else key)
    elif isinstance(value, list):
        for one in value:
            yield from roles_in(one, name)
    elif isinstance(value, str) and value and ROLE.fullmatch(spelt):
        yield value


def names_policy(name: str) -> bool:
    """Whether an argument is called like one that holds a policy of a resource."""
    spelt = WORD.sub("_", name).lower()
    return bool(POLICY.fullmatch(spelt)) and not HARMLESS.fullmatch(spelt)


def holds_policy(value: Any, is_unknown: Callable[[Any], bool], name: str = "") -> bool:
    """Whether a statement that says who may do what stands anywhere in a value, as an object or as JSON text, or
    something unknown under an argument that is called like a policy."""
    if is_unknown(value):
        return names_policy(name)
    if isinstance(value, str):
        return "Principal" in value and _text_holds_policy(value)
    if isinstance(value, list):
        return any(holds_policy(one, is_unknown, name) for one in value)
    if not isinstance(value, dict):
        return False
    if (value.keys() & WHO and value.keys() & WHAT) or value.get(OF_SAM):
        return True
    listed = value.get("Statement")
    if any(map(is_unknown, listed if isinstance(listed, list) else [listed])):
        return True
    return any(holds_policy(one, is_unknown, key if names_policy(key) else name) for key, one in value.items())


def _text_holds_policy(text: str) -> bool:
    try:
        found = json.loads(text)
        return isinstance(found, dict | list) and holds_policy(found, lambda _: False)
    except ValueError:
        return False
    except RecursionError:
        return True
