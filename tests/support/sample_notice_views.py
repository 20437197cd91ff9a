"""Views of every page of notices, of disowning a link and of freezing new ones, for `sample_views`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from idp.identity.cases import CaseStatus
from idp.identity.notices import Channel, Credential, NoticeKind, NoticePreferences, UILocale
from idp.pages.list_views import Paging
from idp.pages.notice_views import FreezePage, NoticeEntry, NoticesPage, NoticeWaysPage, NotMePage
from idp.pages.views import LinkCard, Page
from idp.web.notice_facts import NoticeFacts


def notice_views(link: LinkCard, now: datetime) -> Mapping[str, Page]:
    """Return them with ordinary networks in them."""
    notices = NoticesPage(
        notices=tuple(
            NoticeEntry(
                facts=NoticeFacts(
                    kind=kind,
                    at=now,
                    network=link.network,
                    account="@lan.tran",
                    reference="ABCD-2345",
                    count="7",
                    what=Credential.PASSKEY,
                ),
                uri="/my/accounts/1",
            )
            for kind in NoticeKind
        ),
        paging=Paging(first_uri="/my/notices", next_uri="/my/notices?before=9.notice"),
    )
    ways = NoticeWaysPage(
        preferences=NoticePreferences(frozenset({Channel.EMAIL}), UILocale.EN),
        action="/my/notice-ways",
        is_saved=True,
        csrf="token",
    )
    not_me = NotMePage(
        action="/not-me/token",
        network=link.network,
        domain=link.domain,
        account=link.account,
        kind=NoticeKind.LINK_ESTABLISHED,
        happened_at=now,
    )
    pressed = replace(not_me, reference="ABCD-2345", status=CaseStatus.OPEN, due_at=now + timedelta(days=3))
    freeze = FreezePage(action="/my/freeze", csrf="token")
    frozen = replace(freeze, frozen_since=now)
    return {
        "notices": notices,
        "notices_none": NoticesPage(notices=()),
        "notice_ways": ways,
        "not_me": not_me,
        "not_me_signed_in": replace(not_me, kind=None, is_signed_in=True, has_ended=True, csrf="token"),
        "not_me_pressed": pressed,
        "not_me_pressed_signed_in": replace(pressed, is_signed_in=True, has_ended=True, csrf="token"),
        "not_me_decided": replace(pressed, status=CaseStatus.CLOSED),
        "freeze": freeze,
        "freeze_without_second_proof": replace(freeze, can_be_lifted=False),
        "frozen": replace(frozen, needs_sign_in=True),
        "frozen_and_fresh": frozen,
        "frozen_without_second_proof": replace(frozen, can_be_lifted=False),
    }
