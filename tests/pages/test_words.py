import re
from pathlib import Path

import idp
from idp.audit.events import PROVIDER
from idp.identity.account_links import MOVES, move
from idp.identity.evidence import CheckMethod, DocumentType, RecordType
from idp.pages import words
from idp.protocol.claims import ITEM_OF_CLAIM, VERIFICATION_EVIDENCE, VERIFICATION_TIME
from tests.support.protocol_builders import NOW, make_link

WRITTEN = re.compile(r'"((?:account_link|authorization|backchannel_request|citizen|consent|grant):[a-z_]+)"')
BY_VERB = {
    "citizen:suspended",
    "citizen:reinstated",
    "account_link:updated",
    "account_link:reattached",
    "account_link:reverify_requested",
}
"""Written as `citizen:{verb}` and `account_link:{verb}`."""


def test_whatever_happens_to_a_link_is_told_in_words_and_nothing_else_is() -> None:
    moves = {
        move(make_link(status=status), to, PROVIDER, "because", NOW)[1].type
        for status, targets in MOVES.items()
        for to in targets
    }
    written = {
        event
        for path in Path(idp.__path__[0]).rglob("*.py")
        if path.name != "words.py"
        for event in WRITTEN.findall(path.read_text())
    }
    concerned = {event for event in words.EVENTS if WRITTEN.fullmatch(f'"{event}"')}
    assert concerned == moves | written | BY_VERB


def test_whatever_a_network_can_ask_for_has_words() -> None:
    assert {*ITEM_OF_CLAIM.values(), VERIFICATION_TIME, VERIFICATION_EVIDENCE} <= words.CLAIMS.keys()
    assert words.DOCUMENTS.keys() == {*DocumentType, *RecordType}
    assert words.CHECKS.keys() == set(CheckMethod)
