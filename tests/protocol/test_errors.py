"""Every registered error: its code, its status, its challenge; and nothing internal in what it says."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import idp
import idp.protocol
from idp.protocol import errors
from idp.protocol.errors import OAuthError, ProtocolError
from idp.protocol.grants import ReplayedError

IDP = Path(idp.__path__[0])
PUBLIC = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*")
"""What a description may hold: RFC 6749 §5.2."""
SAID_BY_OUR_OWN_RULES = {"JOSEError", "LoginHintError", "StrictJSONError", "WebURIError"}
"""Exceptions whose words are written for whoever sent the value, and say nothing of this program."""


def kinds(kind: type[OAuthError] = OAuthError) -> Iterator[type[OAuthError]]:
    """Yield every registered error, those that only one endpoint knows included."""
    for each in kind.__subclasses__():
        yield each
        yield from kinds(each)


for module in pkgutil.iter_modules(idp.protocol.__path__, "idp.protocol."):
    importlib.import_module(module.name)
KINDS = sorted(set(kinds()), key=lambda kind: kind.__qualname__)
NAMES = {kind.__name__ for kind in KINDS} | {kind.__name__ for kind in ProtocolError.__subclasses__()}


def made(kind: type[OAuthError]) -> OAuthError:
    if issubclass(kind, errors.UseDPoPNonceError):
        return kind("said", nonce="n", detail="internal")
    if issubclass(kind, ReplayedError):
        return kind("said", grant_id="internal")
    try:
        return kind("said", detail="internal")
    except TypeError:
        return kind("said")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_says_its_code_and_what_is_public(kind: type[OAuthError]) -> None:
    error = made(kind)
    assert re.fullmatch(r"[a-z_]+", error.error)
    assert error.as_parameters() == {"error": error.error, "error_description": error.description}
    assert "internal" not in str(error) + str(error.as_parameters()) + str(dict(error.headers))
    assert error.status in {400, 401, 403, 500, 503}
    if error.status == 401:
        assert "WWW-Authenticate" in error.headers, "RFC 9110 §15.5.2"
    if kind.__module__ == errors.__name__:
        assert re.search(r"§|1\.0", kind.__doc__ or ""), "the clause that registers it"


def test_each_code_has_one_class() -> None:
    """The kinds of one endpoint say the same code as the class they refine."""
    codes = [kind.error for kind in vars(errors).values() if isinstance(kind, type) and kind in set(KINDS)]
    assert len(set(codes)) == len(codes)
    assert {kind.error for kind in KINDS} == set(codes)


def calls() -> Iterator[tuple[str, ast.Call, set[str], str]]:
    """Yield each place where an error is made: where, the call, and the exceptions caught around it."""
    for path in sorted(IDP.rglob("*.py")):
        tree = ast.parse(path.read_text())
        caught: dict[ast.AST, tuple[str, set[str]]] = {}
        for handler in ast.walk(tree):
            if isinstance(handler, ast.ExceptHandler) and handler.name and handler.type:
                names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
                caught |= dict.fromkeys(ast.walk(handler), (handler.name, names))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
                name, around = caught.get(node, ("", set()))
                yield f"{path.relative_to(IDP)}:{node.lineno}", node, around, name


def test_what_an_error_says_is_written_here() -> None:
    """Point 10 of the issue: no exception of a library, no value of ours ends up in a description."""
    amiss = []
    for where, call, around, name in calls():
        said = call.args[0] if call.args else None
        for part in said.values if isinstance(said, ast.JoinedStr) else [said]:
            if isinstance(part, ast.Constant) and not PUBLIC.fullmatch(str(part.value)):
                amiss.append(f"{where}: characters that RFC 6749 §5.2 does not allow")
            shown = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)} if part else set()
            if name and name in shown and not around <= SAID_BY_OUR_OWN_RULES | NAMES:
                amiss.append(f"{where}: the words of {' or '.join(sorted(around))}")
    assert amiss == []
