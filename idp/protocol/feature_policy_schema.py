"""The published policy document as JSON Schema (2020-12), made of the rules' own limits and lists. Pure."""

from typing import Any

from idp.identity.assurance import Acr, Proofing
from idp.identity.feature_policy import BeforeDeadline, Consequence
from idp.protocol.feature_policy_document import (
    FEATURE_NAME,
    MAX_AGE,
    MAX_CLIENTS,
    MAX_DAYS,
    MAX_FEATURES,
    MAX_GRACE,
)

Schema = dict[str, Any]

_TIME: Schema = {"type": "string", "format": "date-time"}
_VERSION: Schema = {"type": "integer", "minimum": 1}
_REQUIREMENT: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["min_proofing", "min_acr", "before_deadline"],
    "properties": {
        "min_proofing": {"enum": [each.value for each in Proofing]},
        "min_acr": {"enum": [each.value for each in Acr]},
        "max_age": {
            "type": "integer",
            "minimum": 0,
            "maximum": MAX_AGE,
            "description": "Seconds since the sign-in that reached min_acr. Absent: any.",
        },
        "reverify_after": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_DAYS,
            "description": "Days since the person was last here, after which they confirm the link.",
        },
        "before_deadline": {
            "enum": [each.value for each in BeforeDeadline],
            "description": "allow: accounts whose deadline is not over may go on without.",
        },
    },
}
_DEADLINE: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["created_before", "due_at", "grace_days", "consequence"],
    "properties": {
        "created_before": {**_TIME, "description": "Later accounts meet the requirements at once."},
        "due_at": _TIME,
        "grace_days": {"type": "integer", "minimum": 0, "maximum": MAX_GRACE},
        "consequence": {"enum": [each.value for each in Consequence]},
    },
}
_NOT_CONNECTED: Schema = {"type": "object", "maxProperties": 0}

FEATURE_POLICY: Schema = {
    "type": "object",
    "required": ["version", "effective_at", "features", "deadlines"],
    "properties": {
        "version": _VERSION,
        "effective_at": _TIME,
        "features": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": MAX_FEATURES,
            "propertyNames": {"pattern": f"^{FEATURE_NAME}$"},
            "additionalProperties": _REQUIREMENT,
        },
        "deadlines": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "domestic": _DEADLINE,
                "cross_border": {
                    "type": "object",
                    "maxProperties": MAX_CLIENTS,
                    "description": "By client_id. Empty: not connected yet, and nothing is due there.",
                    "additionalProperties": {"oneOf": [_DEADLINE, _NOT_CONNECTED]},
                },
            },
        },
        "next": {
            "type": "object",
            "additionalProperties": False,
            "required": ["version", "effective_at"],
            "description": "The version that takes effect next, if one is announced.",
            "properties": {"version": _VERSION, "effective_at": _TIME},
        },
    },
}
"""What `GET /account-links/policy` answers. Beside these, members may be added; readers pass over them."""
