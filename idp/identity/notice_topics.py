"""What a notice is about, as people look for it in their list: four topics, each kind in one of them."""

from collections.abc import Mapping
from enum import StrEnum

from idp.identity.notices import LINK_NOTICES, NoticeKind


class NoticeTopic(StrEnum):
    """What somebody may look for."""

    LINKS = "links"
    SECURITY = "security"
    """What lets the person in, and what stops others."""
    CASES = "cases"
    REQUESTS = "requests"
    """What waited for somebody's answer."""


_LINKS = frozenset({*LINK_NOTICES.values(), NoticeKind.LINKS_QUICKLY, NoticeKind.HAND_OVER_DUE})
_CASES = frozenset(
    {
        NoticeKind.CASE_OPENED,
        NoticeKind.CASE_CLOSED,
        NoticeKind.CORRECTION_ASKED,
        NoticeKind.MISUSE_REPORTED,
        NoticeKind.DISPUTE_OPENED,
        NoticeKind.DISPUTE_DECIDED,
    }
)
_REQUESTS = frozenset(
    {NoticeKind.NEW_REQUEST_WAITING, NoticeKind.GUARDIAN_REQUEST, NoticeKind.GUARDIAN_DECIDED}
)

KINDS: Mapping[NoticeTopic, frozenset[NoticeKind]] = {
    NoticeTopic.LINKS: _LINKS,
    NoticeTopic.SECURITY: frozenset(NoticeKind) - _LINKS - _CASES - _REQUESTS,
    NoticeTopic.CASES: _CASES,
    NoticeTopic.REQUESTS: _REQUESTS,
}
"""Whatever is none of the others is a matter of security: nothing can be missed by being new."""
