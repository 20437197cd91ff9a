"""What the platform API takes and gives, as JSON Schema. Made of the rules' own limits and lists. Pure."""

from typing import Any

from idp.identity.account_links import LIVE, Status
from idp.identity.assurance import Proofing
from idp.identity.link_changes import ChangeKind
from idp.identity.link_upkeep import LONGEST_NOTICE, SHORTEST_NOTICE
from idp.protocol.account_link_details import MAX_ACCOUNT_ID, MAX_HANDLE, MAX_PROFILE_URI
from idp.protocol.account_link_requests import Suspicion
from idp.protocol.account_link_resource import PREVIOUS_ACCOUNT_ID
from idp.protocol.feature_policy_schema import FEATURE_POLICY
from idp.protocol.result_pages import MAX_CURSOR, MAX_LIMIT

Schema = dict[str, Any]

SHOWN = tuple(sorted({*LIVE, Status.ENDED}))
"""The states in which a platform sees a link."""

_TIME: Schema = {"type": "integer", "minimum": 0, "description": "Seconds since 1970, UTC."}
_TIME_OR_NULL: Schema = {**_TIME, "type": ["integer", "null"]}
_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 64}
_ACCOUNT_ID: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_ACCOUNT_ID,
    "description": "Your own immutable id of the account.",
}
_HANDLE: Schema = {"type": ["string", "null"], "minLength": 1, "maxLength": MAX_HANDLE}
_PROFILE_URI: Schema = {
    "type": ["string", "null"],
    "maxLength": MAX_PROFILE_URI,
    "description": "An https address on a host of your registration.",
}
_CURSOR: Schema = {
    "type": "string",
    "maxLength": MAX_CURSOR,
    "description": "Opaque, and good for your client and this list alone.",
}


def reference(name: str) -> Schema:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Schema, *, optional: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


def schemas() -> Schema:
    """Return every schema of the document by its name."""
    return {
        "AccountLink": _object(
            {
                "link_id": _ID,
                "account_id": _ACCOUNT_ID,
                "handle": _HANDLE,
                "profile_uri": _PROFILE_URI,
                "sub": {"type": "string", "description": "The person, by a name that only you see."},
                "status": {"enum": [status.value for status in SHOWN]},
                "assurance_level": {"enum": [proofing.value for proofing in Proofing]},
                "acr": {"type": "string", "format": "uri"},
                "linked_at": _TIME_OR_NULL,
                "expires_at": _TIME_OR_NULL,
                "guardian_consented": {
                    "type": "boolean",
                    "description": "Whether the person is a minor and a guardian agreed to the link.",
                },
                "reverify_requested_at": _TIME_OR_NULL,
                "ended_at": _TIME_OR_NULL,
                "mark_uri": {
                    "type": ["string", "null"],
                    "format": "uri",
                    "description": "Where anybody may check the account; null unless its person wants that.",
                },
            }
        ),
        "AccountLinkPage": _object(
            {
                "account_links": {
                    "type": "array",
                    "maxItems": MAX_LIMIT,
                    "items": reference("AccountLink"),
                },
                "cursor": _CURSOR,
                "next": {
                    "type": "string",
                    "format": "uri",
                    "description": "With a person's token: where the list goes on.",
                },
            },
            optional=("cursor", "next"),
        ),
        "Change": _object(
            {
                "change_id": _ID,
                "kind": {"enum": [kind.value for kind in ChangeKind]},
                "occurred_at": _TIME,
                "link_id": _ID,
                "link": {
                    "description": "The link as it stands now; null when its record is gone.",
                    "oneOf": [reference("AccountLink"), {"type": "null"}],
                },
                PREVIOUS_ACCOUNT_ID: _ACCOUNT_ID,
            },
            optional=(PREVIOUS_ACCOUNT_ID,),
        ),
        "ChangePage": _object(
            {
                "changes": {"type": "array", "maxItems": MAX_LIMIT, "items": reference("Change")},
                "cursor": {**_CURSOR, "description": "Where to go on, now or later; always there."},
                "has_more": {"type": "boolean"},
            }
        ),
        "DetailsUpdate": {
            **_object({"handle": _HANDLE, "profile_uri": _PROFILE_URI}, optional=("handle", "profile_uri")),
            "minProperties": 1,
            "description": "A merge patch (RFC 7396): null removes, what is left out stays.",
        },
        "NewAccountId": _object({"account_id": _ACCOUNT_ID}),
        "Reverification": _object(
            {
                "due_at": {
                    **_TIME,
                    "description": f"Until when: {SHORTEST_NOTICE.days} to {LONGEST_NOTICE.days} days ahead.",
                }
            },
            optional=("due_at",),
        ),
        "Nothing": _object({}),
        "MisuseReport": _object({"suspicion": {"enum": [each.value for each in Suspicion]}}),
        "Case": _object(
            {
                "case": {"type": "string", "description": "The number to ask about it with."},
                "link_id": _ID,
                "opened_at": _TIME,
            }
        ),
        "FeaturePolicy": FEATURE_POLICY,
        "StatusLists": _object(
            {"status_lists": {"type": "array", "items": {"type": "string", "format": "uri"}}}
        ),
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail"],
            "description": "RFC 9457. `type` tells problems apart; `error` is the registered OAuth code.",
            "properties": {
                "type": {"type": "string", "format": "uri"},
                "title": {"type": "string"},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": {"type": "string"},
                "error": {"type": "string", "pattern": "^[a-z_]+$"},
                "error_description": {"type": "string"},
                "link_status": {"enum": [status.value for status in SHOWN]},
            },
            "additionalProperties": False,
        },
    }
