"""JSON documents inside parameters, read strictly. RFC 8259; RFC 7493 (I-JSON) §2.3 on duplicate names."""

import json

import orjson

MAX_LENGTH = 32 * 1024
MAX_DEPTH = 12


class StrictJSONError(ValueError):
    """The document is not JSON that every reader understands alike. The message says why."""


def read_json(text: str) -> object:
    """Read a JSON document that has no duplicate names and no deep nesting. Raises StrictJSONError."""
    if len(text) > MAX_LENGTH:
        raise StrictJSONError("is too long")
    try:
        # orjson refuses what RFC 8259 refuses (NaN, lone surrogates, numbers without a value) …
        document: object = orjson.loads(text)
        # … and only the standard library shows duplicate names before it drops one of them.
        json.loads(text, object_pairs_hook=_check_names)
    except _DuplicateNameError:
        raise StrictJSONError("holds the same member name twice") from None
    except (ValueError, RecursionError):
        raise StrictJSONError("is not valid JSON") from None
    _check_depth(document)
    return document


class _DuplicateNameError(Exception):
    pass


def _check_names(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _DuplicateNameError


def _check_depth(document: object) -> None:
    level = [document]
    for _ in range(MAX_DEPTH + 1):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise StrictJSONError("is nested too deeply")


def _children(node: object) -> list[object]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []
