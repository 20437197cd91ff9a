"""The device authorization request and its user code. RFC 8628 §3.1, §6.1. Pure.

A code has 8 of 20 consonants: no vowel, so that no word comes about, and nothing that looks or sounds alike;
20^8 = 2.6 * 10^10, or 34.5 bits (RFC 8628 §5.1, §6.1). A code is found by a keyed hash, lives ten minutes,
and typing one is counted before it is looked up: per person five wrong ones are free in a day, then the
pauses of sign-in hold, about 105 guesses a day; per source a hundred in ten minutes. With ten thousand codes
alive at once a person who guesses all day hits some code with a chance of 1 in 25,000, and then stands before
a page that names a network they do not know. A wrong guess says nothing but "wrong".
"""

from dataclasses import replace

from idp.protocol.decoupled_request import read_asked
from idp.protocol.errors import UnauthorizedClientError
from idp.protocol.model import AuthorizationRequest, Client, Policy
from idp.protocol.parameters import Parameters, check_not_repeated
from idp.protocol.profiles import DEVICE_GRANT

USER_CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
USER_CODE_LENGTH = 8


def shown_user_code(code: str) -> str:
    """Return a code as people read it: XXXX-XXXX."""
    half = USER_CODE_LENGTH // 2
    return f"{code[:half]}-{code[half:]}"


def read_user_code(typed: str) -> str | None:
    """Return the code that somebody typed, however they spelt it (RFC 8628 §6.1); None when it is none."""
    if len(typed) > 64 or not typed.isascii():
        return None
    code = "".join(character for character in typed.upper() if character.isalnum())
    is_code = len(code) == USER_CODE_LENGTH and all(letter in USER_CODE_ALPHABET for letter in code)
    return code if is_code else None


def read_device_request(parameters: Parameters, client: Client, policy: Policy) -> AuthorizationRequest:
    """Return what a device asks for: RFC 8628 §3.1. Without `scope` it asks who the person is, no more.

    Raises UnauthorizedClientError, InvalidRequestError, InvalidScopeError, InvalidTargetError.
    """
    if DEVICE_GRANT not in client.grant_types:
        raise UnauthorizedClientError("the client is not registered for the device grant")
    check_not_repeated(parameters)
    if "scope" not in parameters:
        parameters = replace(parameters, sent_once={**parameters.sent_once, "scope": "openid"})
    return read_asked(parameters, client, policy)
