"""The pages of a person's own account: the start page, lists and what narrows them down, a correction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from idp.audit.activity import ActivityKind
from idp.identity.cases import CaseKind, CaseStatus
from idp.identity.consents import AskReason, ConsentState
from idp.identity.corrections import CorrectionOutcome, Datum, Fault
from idp.pages.case_views import CaseCard, CasePage, CasesPage
from idp.pages.consent_views import ConsentCard, ConsentsPage
from idp.pages.correction_views import CorrectionPage, DatumEntry
from idp.pages.export_views import ExportPage
from idp.pages.list_views import Choice, Filter, FilterName, Filters, Paging, Period
from idp.pages.start_views import Attention, AttentionKind, StartPage
from idp.pages.views import LinkCard, Page

FILTERS = Filters(
    action="/my/list",
    filters=(
        Filter(
            name=FilterName.NETWORK,
            choices=(
                Choice(value="1", name="Quán Gió", is_chosen=True),
                Choice(value="2", name="Chợ Phiên"),
            ),
        ),
        Filter(
            name=FilterName.KIND,
            choices=tuple(Choice(value=kind.value, word=kind) for kind in ActivityKind),
        ),
        Filter(
            name=FilterName.PERIOD,
            choices=tuple(Choice(value=period.value, word=period) for period in Period),
        ),
    ),
)
PAGING = Paging(first_uri="/my/list", next_uri="/my/list?before=9.id")


def account_views(link: LinkCard, person: str, now: datetime) -> Mapping[str, Page]:
    """Return them with ordinary networks in them."""
    return {**_start_views(person, now), **_list_views(link, now), **_correction_views()}


def _start_views(person: str, now: datetime) -> Mapping[str, Page]:
    start = StartPage(person=person, attention=(), csrf="token")
    everything = tuple(
        Attention(kind=kind, uri="/my/x", count=2, until=now if number % 2 else None)
        for number, kind in enumerate(AttentionKind)
    )
    return {
        "start": start,
        "start_with_everything": replace(start, attention=everything, has_children=True),
        "export": ExportPage(json_uri="/my/activity/export.json", file_uri="/my/activity/export.html"),
    }


def _list_views(link: LinkCard, now: datetime) -> Mapping[str, Page]:
    agreed = ConsentCard(
        network=link.network,
        domain=link.domain,
        state=ConsentState.AGREED,
        decided_at=now,
        reason=AskReason.NEW_ACCOUNT,
        purpose="post",
        claims=("name", "age_over_16"),
        withheld=("address",),
        text_version="2026-11",
        ui_locale="vi",
        end_uri="/my/accounts?network=1",
    )
    withdrawn = replace(agreed, state=ConsentState.WITHDRAWN, withdrawn_at=now, claims=(), end_uri=None)
    refused = replace(agreed, state=ConsentState.REFUSED, purpose=None, end_uri=None, ui_locale="fr")
    consents = ConsentsPage(consents=(agreed, withdrawn, refused), filters=FILTERS, paging=PAGING)
    dispute = CaseCard(
        reference="ABCD-2345",
        kind=CaseKind.DISPUTE,
        status=CaseStatus.OPEN,
        outcome=None,
        is_mine=False,
        is_asked=True,
        network=link.network,
        domain=link.domain,
        account=link.account,
        opened_at=now,
        due_at=now + timedelta(days=14),
        uri="/my/cases/ABCD2345",
    )
    claimed = replace(dispute, is_mine=True, is_asked=False)
    request = CaseCard(
        reference="EFGH-6789",
        kind=CaseKind.CORRECTION,
        status=CaseStatus.OPEN,
        outcome=None,
        is_mine=True,
        is_asked=False,
        datum=Datum.ADDRESS,
        fault=Fault.OUTDATED,
        opened_at=now,
        due_at=now + timedelta(days=10),
        uri="/my/cases/EFGH6789",
    )
    answered = tuple(
        replace(request, status=CaseStatus.CLOSED, outcome=outcome, closed_at=now)
        for outcome in CorrectionOutcome
    )
    case = CasePage(case=dispute, action=dispute.uri, csrf="token")
    return {
        "consents": consents,
        "consents_none": ConsentsPage(consents=()),
        "consents_with_nothing_like_that": replace(consents, consents=(), paging=Paging()),
        "cases": CasesPage(cases=(dispute, claimed, request, *answered), filters=FILTERS, paging=PAGING),
        "cases_none": CasesPage(cases=()),
        "case_asked": case,
        "case_claimed": replace(case, case=claimed),
        "case_of_a_request": replace(case, case=request),
        "case_of_an_answered_request": replace(case, case=answered[0]),
    }


def _correction_views() -> Mapping[str, Page]:
    values = {Datum.NAME: "Nguyễn Thị Lan", Datum.PERSONAL_NUMBER: "000190000001", Datum.GENDER: "female"}
    entries = tuple(DatumEntry(datum=datum, value=values.get(datum)) for datum in Datum)
    asked = (replace(entries[0], case_uri="/my/cases/ABCD2345"), *entries[1:])
    correction = CorrectionPage(action="/my/correction", entries=entries, csrf="token")
    return {
        "correction": correction,
        "correction_incomplete": replace(correction, entries=asked, fault=Fault.MISSING, is_incomplete=True),
    }
