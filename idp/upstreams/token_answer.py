"""The token response: RFC 6749 §5.1, OpenID Connect Core §3.1.3.3."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.upstreams.exchange import Answer, Fault, UpstreamError
from idp.upstreams.provider_metadata import json_object

_ACCESS_TOKEN = re.compile(r"[!-~]{1,8192}")
"""It becomes part of a header: RFC 6750 §2.1."""


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the token endpoint gave."""

    access_token: str = field(repr=False)
    id_token: str | None = field(default=None, repr=False)
    members: Mapping[str, Any] = field(default_factory=dict, repr=False)


def read_token_answer(answer: Answer) -> TokenAnswer:
    """Read the answer. A code that is refused is of another visit, or stolen. Raises UpstreamError."""
    if answer.status == 400:
        raise UpstreamError(Fault.UNTRUSTED, "token: the code is refused")
    document = json_object(answer, "token")
    access_token, id_token = document.get("access_token"), document.get("id_token")
    if not isinstance(access_token, str) or not _ACCESS_TOKEN.fullmatch(access_token):
        raise UpstreamError(Fault.UNTRUSTED, "token: no access token")
    token_type = document.get("token_type")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise UpstreamError(Fault.UNTRUSTED, "token: is no bearer token")
    if id_token is not None and not isinstance(id_token, str):
        raise UpstreamError(Fault.UNTRUSTED, "token: the ID token is no text")
    return TokenAnswer(access_token, id_token, document)
