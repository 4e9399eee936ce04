"""The Arrow schemas of the service reference's relations."""

import pyarrow as pa

_TEXT, _FLAG, _TEXTS = pa.string(), pa.bool_(), pa.list_(pa.string())

SCHEMAS: dict[str, pa.Schema] = {
    "reference_services": pa.schema([("service", _TEXT), ("service_name", _TEXT), ("is_rcp_supported", _FLAG)]),
    "reference_actions": pa.schema(
        [
            ("action", _TEXT),
            ("service", _TEXT),
            ("access_level", _TEXT),
            ("description", _TEXT),
            ("condition_keys", _TEXTS),
            ("takes_resources", _FLAG),
        ]
    ),
    "reference_action_resource_types": pa.schema(
        [
            ("action", _TEXT),
            ("resource_type", _TEXT),
            ("is_required", _FLAG),
            ("condition_keys", _TEXTS),
            ("is_required_mark_doubtful", _FLAG),
            ("remark", _TEXT),
        ]
    ),
    "reference_resource_types": pa.schema(
        [("service", _TEXT), ("resource_type", _TEXT), ("arn_format", _TEXT), ("condition_keys", _TEXTS)]
    ),
    "reference_condition_keys": pa.schema(
        [
            ("condition_key", _TEXT),
            ("service", _TEXT),
            ("value_type", _TEXT),
            ("is_multivalued", _FLAG),
            ("is_global", _FLAG),
            ("presence", _TEXT),
            ("description", _TEXT),
            ("is_former_spelling", _FLAG),
            ("current_spelling", _TEXT),
        ]
    ),
    "reference_dependent_actions": pa.schema(
        [("action", _TEXT), ("dependent_action", _TEXT), ("context", _TEXT), ("sources", _TEXTS)]
    ),
    "reference_operations": pa.schema(
        [
            ("operation", _TEXT),
            ("service", _TEXT),
            ("action_in_reference", _FLAG),
            ("takes_tags", _FLAG),
            ("role_parameters", _TEXTS),
        ]
    ),
}
