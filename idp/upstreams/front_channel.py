"""The authorization response that a browser brings back: RFC 6749 §4.1.2, RFC 9207. Pure; abuse class 29."""

import re
from collections.abc import Mapping

from idp.upstreams.exchange import Fault, UpstreamError

_CODE = re.compile(r"[ -~]{1,2048}")
"""RFC 6749 Appendix A.11: VSCHAR."""
_THEIR_TROUBLE = frozenset({"temporarily_unavailable", "server_error"})


def read_code(answer: Mapping[str, str], issuer: str | None, *, is_iss_required: bool) -> str:
    """Return the code of an answer by this issuer. Raises UpstreamError.

    `iss` is compared before anything else is believed, in errors too (RFC 9207 §2.4): where it must be there,
    and where it is there all the same. What the upstream says beside its error code is not read.
    """
    told = answer.get("iss")
    if told is None and is_iss_required:
        raise UpstreamError(Fault.UNTRUSTED, "answer: iss is missing")
    if told is not None and issuer is not None and told != issuer:
        raise UpstreamError(Fault.UNTRUSTED, "answer: iss of another issuer")
    error = answer.get("error")
    if error == "access_denied":
        raise UpstreamError(Fault.CANCELLED, "answer: access_denied")
    if error in _THEIR_TROUBLE:
        raise UpstreamError(Fault.UNAVAILABLE, f"answer: {error}")
    if error is not None:
        raise UpstreamError(Fault.UNTRUSTED, "answer: another error")
    code = answer.get("code")
    if code is None or not _CODE.fullmatch(code):
        raise UpstreamError(Fault.UNTRUSTED, "answer: no code")
    return code
