"""The platform API as an OpenAPI 3.1 document: what it takes and gives, and nothing else. Pure.

tests/fuzz/test_platform_api.py holds the program to it; a test compares its addresses with the routes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from idp.protocol.idempotency import HEADER, MAX_LENGTH
from idp.protocol.link_receipt import MEDIA_TYPE as RECEIPT_MEDIA_TYPE
from idp.protocol.platform_api_schemas import SHOWN, Schema, reference, schemas
from idp.protocol.problems import MEDIA_TYPE, PROBLEMS, Problem
from idp.protocol.resources import MANAGE_ACCOUNT_LINKS, READ_ACCOUNT_LINKS
from idp.protocol.result_pages import DEFAULT_LIMIT, MAX_CURSOR, MAX_LIMIT

VERSION = "1.0.0"
_READ: Schema = {"security": [{"oauth2": [READ_ACCOUNT_LINKS]}]}
_MANAGE: Schema = {"security": [{"oauth2": [MANAGE_ACCOUNT_LINKS]}]}

_DESCRIPTION = """\
A platform reads its own account links, follows what becomes of them, and keeps them in order. Another
platform's link looks exactly like none. No answer ever holds a reason, or anything about the person but a
pairwise subject.

Access tokens come from the token endpoint by client_credentials. They must be bound to their sender, by DPoP
(RFC 9449) or mutual TLS (RFC 8705); only one link, named by its link_id, is also read with what else your
profile allows. A token that a person granted reads that person's links.
"""

_LINK_ID: Schema = {
    "name": "link_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
}
_KEY: Schema = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "description": "A fresh random key in double quotes; the same one when the same request is sent again.",
    "schema": {"type": "string", "pattern": '^"[A-Za-z0-9_-]{1,64}"$', "maxLength": MAX_LENGTH + 2},
}
_IF_MATCH: Schema = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the link as you read it.",
    "schema": {"type": "string"},
}


def openapi_document(issuer: str) -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lienket platform API", "version": VERSION, "description": _DESCRIPTION},
        "servers": [{"url": issuer}],
        "paths": {**_reading_paths(), **_changing_paths()},
        "components": {
            "securitySchemes": {
                "oauth2": {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": f"{issuer}/token",
                            "scopes": {
                                READ_ACCOUNT_LINKS: "Read your account links.",
                                MANAGE_ACCOUNT_LINKS: "Change your account links.",
                            },
                        }
                    },
                }
            },
            "schemas": schemas(),
        },
    }


def _reading_paths() -> Schema:
    return {
        "/account-links": {
            "get": {
                "operationId": "listAccountLinks",
                "summary": "Your links page by page, or the one of an account",
                **_READ,
                "parameters": [
                    _query(
                        "account_id", {"type": "string", "minLength": 1}, "The live link of this account."
                    ),
                    _query("status", {"enum": [status.value for status in SHOWN]}, "Links that count so."),
                    *_paging(),
                    _query("after", {"type": "string"}, "With a person's token: as `next` has it."),
                ],
                "responses": _responses("AccountLinkPage", [Problem.INVALID_CURSOR]),
            }
        },
        "/account-links/changes": {
            "get": {
                "operationId": "listChanges",
                "summary": "What became of your links, oldest first",
                **_READ,
                "parameters": [
                    _query("from", {"enum": ["beginning", "now"]}, "Where to begin, without a cursor."),
                    *_paging(),
                ],
                "responses": _responses("ChangePage", [Problem.INVALID_CURSOR]),
            }
        },
        "/account-links/policy": {
            "get": {
                "operationId": "readFeaturePolicy",
                "summary": "Which feature needs which assurance, and by when",
                "security": [],
                "parameters": [
                    _query("version", {"type": "integer", "minimum": 1}, "An earlier version; else today's.")
                ],
                "responses": {
                    "200": _public("The policy", reference("FeaturePolicy")),
                    "304": {"description": "You have it already"},
                    **_problems({400: ["invalid_request"], 404: ["about:blank"]}),
                },
            }
        },
        "/account-links/status-lists": {
            "get": {
                "operationId": "listStatusLists",
                "summary": "Where the status lists of your links are",
                **_READ,
                "responses": _responses("StatusLists", []),
            }
        },
        "/account-links/openapi.json": {
            "get": {
                "operationId": "describe",
                "summary": "This document",
                "security": [],
                "responses": {
                    "200": _public("OpenAPI 3.1"),
                    "304": {"description": "You have it already"},
                },
            }
        },
    }


def _changing_paths() -> Schema:
    return {
        "/account-links/{link_id}": {
            "parameters": [_LINK_ID],
            "get": {
                "operationId": "readAccountLink",
                "summary": "One link",
                **_READ,
                "responses": _responses("AccountLink", [Problem.NO_SUCH_LINK], has_etag=True),
            },
            "patch": {
                "operationId": "updateAccountLink",
                "summary": "Change handle or profile address",
                **_MANAGE,
                "parameters": [_IF_MATCH],
                "requestBody": _body("DetailsUpdate", "application/merge-patch+json", "application/json"),
                "responses": _responses(
                    "AccountLink",
                    [
                        Problem.NO_SUCH_LINK,
                        Problem.STATE_CONFLICT,
                        Problem.CHANGED_MEANWHILE,
                        Problem.PRECONDITION_FAILED,
                        Problem.UNSUPPORTED_MEDIA_TYPE,
                    ],
                    has_etag=True,
                ),
            },
        },
        "/account-links/{link_id}/receipt": {
            "parameters": [_LINK_ID],
            "get": {
                "operationId": "readReceipt",
                "summary": "The receipt of an active link, to be verified offline for years",
                **_READ,
                "responses": {
                    **_responses("AccountLink", [Problem.NO_SUCH_LINK, Problem.STATE_CONFLICT]),
                    "200": {
                        "description": "A signed JWT",
                        "content": {RECEIPT_MEDIA_TYPE: {"schema": {"type": "string"}}},
                    },
                },
            },
        },
        "/account-links/{link_id}/end": _post("endAccountLink", "End a link for good", "Nothing"),
        "/account-links/{link_id}/reattach": _post(
            "reattachAccountLink",
            "Attach the link to the new id of its account",
            "NewAccountId",
            also=[Problem.ACCOUNT_ALREADY_LINKED],
        ),
        "/account-links/{link_id}/reverify": _post(
            "reverifyAccountLink", "Ask the holder to verify the link again by a date", "Reverification"
        ),
        "/account-links/{link_id}/misuse": _post(
            "reportMisuse",
            "Report that an account seems to be misused",
            "MisuseReport",
            "Case",
            is_creating=True,
        ),
    }


def _post(
    operation: str,
    summary: str,
    body: str,
    answer: str = "AccountLink",
    *,
    also: Sequence[Problem] = (),
    is_creating: bool = False,
) -> Schema:
    problems = [
        Problem.IDEMPOTENCY_KEY_REQUIRED,
        Problem.NO_SUCH_LINK,
        Problem.STATE_CONFLICT,
        Problem.CHANGED_MEANWHILE,
        Problem.UNSUPPORTED_MEDIA_TYPE,
        Problem.IDEMPOTENCY_KEY_REUSED,
        *also,
    ]
    responses = _responses(answer, problems)
    if is_creating:
        responses["201"] = {**responses["200"], "description": "Opened"}
        responses["200"] = {**responses["200"], "description": "It was open already"}
    return {
        "parameters": [_LINK_ID],
        "post": {
            "operationId": operation,
            "summary": summary,
            **_MANAGE,
            "parameters": [_KEY],
            "requestBody": _body(
                body, "application/json", is_required=body not in {"Nothing", "Reverification"}
            ),
            "responses": responses,
        },
    }


def _responses(schema: str, problems: Sequence[Problem], *, has_etag: bool = False) -> Schema:
    """Return the answers of an operation: the good one, and what stops it, by status."""
    names: dict[int, list[str]] = {
        400: ["invalid_request"],
        401: ["invalid_token", "insufficient_user_authentication", "invalid_dpop_proof", "use_dpop_nonce"],
        403: ["insufficient_scope"],
        503: ["temporarily_unavailable"],
    }
    for problem in problems:
        names.setdefault(PROBLEMS[problem].status, []).append(problem.value)
    headers: Mapping[str, Any] = {
        "Cache-Control": {"required": True, "schema": {"const": "no-store"}},
        **({"ETag": {"required": True, "schema": {"type": "string"}}} if has_etag else {}),
    }
    good = {
        "description": "As it stands",
        "headers": headers,
        "content": {"application/json": {"schema": reference(schema)}},
    }
    return {
        "200": good,
        **_problems(names),
    }


def _problems(names: Mapping[int, Sequence[str]]) -> Schema:
    return {
        str(status): {
            "description": ", ".join(found),
            "content": {MEDIA_TYPE: {"schema": reference("Problem")}},
        }
        for status, found in sorted(names.items())
    }


def _public(description: str, schema: Schema | None = None) -> Schema:
    return {
        "description": description,
        "headers": {"ETag": {"required": True, "schema": {"type": "string"}}},
        "content": {"application/json": {"schema": schema or {"type": "object"}}},
    }


def _paging() -> list[Schema]:
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    return [
        _query("cursor", {"type": "string", "maxLength": MAX_CURSOR}, "As an earlier answer gave it."),
        _query("limit", limit, "How many at most."),
    ]


def _query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _body(schema: str, *media_types: str, is_required: bool = True) -> Schema:
    return {
        "required": is_required,
        "content": {media_type: {"schema": reference(schema)} for media_type in media_types},
    }
