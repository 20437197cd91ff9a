"""Request parameters, read strictly: repeated, empty, oversized, malformed.

RFC 6749 §3.1, §3.2 and Appendix B; RFC 8707 §2 for the one parameter that may repeat.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from idp.protocol.errors import InvalidRequestError

MAX_BYTES = 64 * 1024
MAX_PARAMETERS = 100
MAX_VALUE_LENGTH = 8 * 1024
MAX_DOCUMENT_LENGTH = 32 * 1024

DOCUMENTS: frozenset[str] = frozenset({"request", "claims", "authorization_details", "client_assertion"})
"""Parameters that carry a whole document and so may be longer."""

REPEATABLE: frozenset[str] = frozenset({"resource"})
"""RFC 8707 §2: several target services are asked for by repeating it. Refused with an error of its own."""


@dataclass(frozen=True, slots=True)
class Parameters(Mapping[str, str]):
    """The parameters that were sent exactly once, with a value.

    A repeated parameter has no value here: which of the two was meant is not ours to guess, and a rule
    that forgets to ask cannot pick the wrong one.
    """

    sent_once: Mapping[str, str]
    repeated: frozenset[str] = frozenset()
    is_signed: bool = False
    """Whether all of them stood in a request object that was verified (RFC 9101)."""

    def __getitem__(self, name: str) -> str:
        return self.sent_once[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.sent_once)

    def __len__(self) -> int:
        return len(self.sent_once)


def read_parameters(encoded: bytes) -> Parameters:
    """Read an `application/x-www-form-urlencoded` body or query string.

    Raises InvalidRequestError for what cannot be read at all. A repeated parameter is only noted, because
    what it means depends on where the answer would go: see `check_not_repeated`.
    """
    _check_size(encoded)
    sent: dict[str, str] = {}
    repeated: set[str] = set()
    try:
        for pair in encoded.decode().split("&"):
            if not pair:
                continue
            name, _, value = pair.partition("=")
            name = _decoded(name)
            if name in sent:
                repeated.add(name)
            sent[name] = _decoded(value)
    except UnicodeDecodeError as error:
        raise InvalidRequestError("the parameters are not UTF-8", detail=str(error.reason)) from None
    if len(encoded) > MAX_VALUE_LENGTH:
        _check_lengths(sent)
    # RFC 6749 §3.1: "Parameters sent without a value MUST be treated as if they were omitted".
    once = {name: value for name, value in sent.items() if value and name not in repeated}
    return Parameters(once, frozenset(repeated))


def _decoded(text: str) -> str:
    return unquote_plus(text, errors="strict") if "%" in text or "+" in text else text


def _check_size(encoded: bytes) -> None:
    if len(encoded) > MAX_BYTES:
        raise InvalidRequestError("the request is too large")
    if encoded.count(b"&") >= MAX_PARAMETERS:
        raise InvalidRequestError("the request has too many parameters")
    # No parameter of any specification holds a NUL, and it ends strings early in other people's software.
    if b"%00" in encoded or b"\0" in encoded:
        raise InvalidRequestError("the request holds a NUL character")


def _check_lengths(sent: Mapping[str, str]) -> None:
    for name, value in sent.items():
        if len(value) > (MAX_DOCUMENT_LENGTH if name in DOCUMENTS else MAX_VALUE_LENGTH):
            raise InvalidRequestError(f"parameter {printable(name)} is too long")


def check_not_repeated(parameters: Parameters) -> None:
    """RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once"."""
    repeated = parameters.repeated - REPEATABLE
    if repeated:
        raise InvalidRequestError(f"parameter {printable(min(repeated))} is repeated")


def required(parameters: Mapping[str, str], name: str) -> str:
    """Return a parameter that a request must hold: RFC 6749 §5.2. Raises InvalidRequestError."""
    value = parameters.get(name)
    if value is None:
        raise InvalidRequestError(f"{name} is required")
    return value


def printable(text: str) -> str:
    """Return what a caller sent in the characters and length that an error_description may hold.

    RFC 6749 §4.1.2.1: %x20-21 / %x23-5B / %x5D-7E.
    """
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text[:64])
