"""Proof key for code exchange. RFC 7636; RFC 9700 §2.1.1 (S256 alone, for every client)."""

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import compare_digest

from idp.protocol.errors import InvalidGrantError, InvalidRequestError

_CODE_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


def check_code_challenge(code_challenge: str | None, code_challenge_method: str | None) -> None:
    """RFC 7636 §4.3, §4.4.1; RFC 9700 §2.1.1: the code is bound to the browser that asked for it.

    §4.2 lets a challenge have 43 to 128 characters; one made with S256 always has 43.
    """
    if code_challenge is None:
        raise InvalidRequestError("code_challenge is required")
    if code_challenge_method != "S256":
        # RFC 7636 §4.3: a method that is not sent means plain, which protects nothing here.
        raise InvalidRequestError("code_challenge_method must be S256")
    if not _S256_CHALLENGE.fullmatch(code_challenge):
        raise InvalidRequestError("code_challenge must be the base64url form of a SHA-256 hash")


def verify_code_verifier(code_verifier: str | None, code_challenge: str | None) -> None:
    """RFC 7636 §4.6: "If the values are not equal, an error response indicating invalid_grant".

    RFC 9700 §2.1.1: a verifier without a challenge means that somebody took the challenge out on the way.
    """
    if code_challenge is None:
        if code_verifier is not None:
            raise InvalidGrantError("code_verifier was sent, but the request had no code_challenge")
        return
    if code_verifier is None:
        raise InvalidGrantError("code_verifier is required")
    if not _CODE_VERIFIER.fullmatch(code_verifier):
        raise InvalidGrantError("code_verifier must be 43 to 128 unreserved characters")
    hashed = urlsafe_b64encode(sha256(code_verifier.encode()).digest()).rstrip(b"=")
    if not compare_digest(hashed, code_challenge.encode()):
        raise InvalidGrantError("code_verifier does not match the code_challenge")
