"""One view of every page and state, with ordinary people and networks in it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from idp.audit.events import ActorKind
from idp.identity.account_links import Refusal, Status
from idp.identity.assurance import Acr, Method, Proofing
from idp.identity.consents import AskReason
from idp.pages.approval_views import (
    AnsweredPage,
    ApprovalCard,
    ApprovalPage,
    ApprovalsPage,
    DevicePage,
)
from idp.pages.design import design_view
from idp.pages.event_views import EventPage
from idp.pages.list_views import Paging
from idp.pages.network_views import EndNetworkPage, LinkedAccountsPage, NetworkCard, NetworkEndedPage
from idp.pages.session_views import NetworkName, SessionCard, SessionsPage, SignedOutPage, SignOutPage
from idp.pages.sign_in_views import SecondFactorNotice, SecondFactorPage, SignInNotice, SignInPage
from idp.pages.views import (
    AccountCard,
    AccountChoicePage,
    AcrPage,
    ClientHeader,
    ConsentItem,
    ConsentPage,
    EndedPage,
    EndLinkPage,
    EnrolmentPage,
    ErrorPage,
    FormPostPage,
    LinkCard,
    LinkDetailPage,
    Page,
    RefusedPage,
    TimelineEntry,
    Trouble,
)
from idp.pages.words import EVENTS
from tests.support.sample_account_views import FILTERS, account_views
from tests.support.sample_activation_views import activation_views
from tests.support.sample_activity_views import ACTIVITY_VIEWS, CLOCK
from tests.support.sample_guardian_views import guardian_views
from tests.support.sample_marks import MARK_OFF, MARK_ON, MARK_VIEWS
from tests.support.sample_notice_views import notice_views
from tests.support.sample_passkey_views import passkey_views
from tests.support.sample_phone_views import phone_views
from tests.support.sample_sandbox import SANDBOX_VIEWS
from tests.support.sample_security_views import security_views
from tests.support.sample_upstream_views import upstream_views

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
DAY = timedelta(days=1)

NETWORK = ClientHeader(
    name="Quán Gió",
    domain="quangio.example",
    back_action="/authorize/7c1e/cancel",
    client_uri="https://quangio.example/",
)
ACCOUNT = AccountCard(
    account_id="81a7-55", handle="@lan.tran", profile_uri="https://quangio.example/lan.tran"
)
ITEMS = (
    ConsentItem(claim="age_over_16", value=True, purpose="Luật yêu cầu", is_essential=True),
    ConsentItem(claim="name", value="Trần Thị Lan (giả lập)", purpose="hiện cạnh bài viết"),
    ConsentItem(claim="birthdate", value="1990-02-03"),
)
EVIDENCE = (
    {
        "type": "document",
        "document_details": {"type": "idcard"},
        "check_details": [
            {"check_method": "vcrypt", "time": "2026-11-20T03:00:00Z"},
            {"check_method": "bvp"},
        ],
    },
    {"type": "electronic_record", "record": {"type": "birth_register"}},
)
VERIFICATION = (
    ConsentItem(claim="nationalities", value="VNM"),
    ConsentItem(claim="verification_time", value=NOW, purpose="đối chiếu hồ sơ"),
    ConsentItem(claim="verification_evidence", value=EVIDENCE),
)
CONSENT = ConsentPage(
    client=NETWORK,
    action="/consent/7c1e",
    account=ACCOUNT,
    proofing=Proofing.VN2,
    acr=Acr.VN_2,
    reason=AskReason.NEW_ACCOUNT,
    purpose="post",
    items=ITEMS,
    link_valid_until=NOW + 730 * DAY,
)
LINK = LinkCard(
    network="Quán Gió",
    domain="quangio.example",
    account=ACCOUNT,
    status=Status.ACTIVE,
    proofing=Proofing.VN2,
    acr=Acr.VN_2,
    detail_uri="/my/accounts/1",
    end_uri="/my/accounts/1/end",
    linked_at=NOW - 40 * DAY,
    last_used_at=NOW,
    expires_at=NOW + 690 * DAY,
    claims=("age_over_16", "name"),
)
SIGNED_IN_TO = NetworkCard(
    network="Chợ Phiên",
    domain="chophien.example",
    agreed_at=NOW - 3 * DAY,
    claims=("name",),
    end_uri="/my/networks/cho-phien/end",
)
ENDED = replace(LINK, status=Status.ENDED, ended_at=NOW, end_uri=None)
PERSON = "Trần Thị Lan (giả lập)"
SIGN_IN = SignInPage(client=NETWORK, action="/sign-in/7c1e", identifier="000195000001")
SECOND_FACTOR = SecondFactorPage(client=NETWORK, action="/second-factor/7c1e", sign_in_uri="/sign-in/7c1e")
DETAIL = LinkDetailPage(
    link=LINK,
    timeline=tuple(
        TimelineEntry(type=kind, occurred_at=NOW, actor=actor, proof_uri="/my/activity/1")
        for kind, actor in zip([*EVENTS, "unheard:of"], [*ActorKind] * len(EVENTS), strict=False)
    ),
    paging=Paging(next_uri="/my/accounts/1?before=9.event"),
    csrf="token",
)

HERE = SessionCard(
    session_id="here",
    is_current=True,
    signed_in_at=NOW - DAY / 12,
    last_used_at=NOW,
    acr=Acr.VN_2,
    networks=(
        NetworkName(name="Quán Gió", domain="quangio.example"),
        NetworkName(name="Chợ Phiên", domain="chophien.example"),
    ),
)
ELSEWHERE = replace(HERE, session_id="elsewhere", is_current=False, acr=Acr.VN_1, networks=())
SESSIONS = SessionsPage(
    person=PERSON,
    sessions=(HERE, ELSEWHERE, replace(HERE, session_id="third", is_current=False)),
    end_others_action="/my/sessions/end-others",
    filters=FILTERS,
    paging=Paging(first_uri="/my/sessions", next_uri="/my/sessions?before=9.id"),
    csrf="token",
)
SIGN_OUT = SignOutPage(action="/sign-out/5ea1ed", person=PERSON, csrf="token")

APPROVAL = ApprovalPage(
    client=replace(NETWORK, back_action=None),
    csrf="token",
    action="/approvals/5ea1ed",
    is_device=False,
    binding_message="Đơn hàng 1234",
    asked_at=NOW,
    expires_at=NOW + DAY / 288,
    proofing=Proofing.VN2,
    acr=Acr.VN_2,
    has_offline_access=False,
    items=ITEMS,
)
SECOND_PASSWORD = replace(SECOND_FACTOR, methods=(Method.PASSWORD,), about=Method.PASSWORD)
ASKED = ApprovalCard(
    network="Quán Gió",
    domain="quangio.example",
    binding_message="Đơn hàng 1234",
    asked_at=NOW,
    uri="/approvals/5ea1ed",
)
ANSWERED = AnsweredPage(client=APPROVAL.client, is_allowed=True, is_device=False)
DEVICE = DevicePage(action="/device", person=PERSON, csrf="token")

VIEWS: dict[str, Page] = {
    "approvals": ApprovalsPage(
        person=PERSON,
        requests=(
            ASKED,
            replace(ASKED, network="Chợ Phiên", domain="chophien.example", binding_message=None),
        ),
        csrf="token",
    ),
    "approvals_empty": ApprovalsPage(person=PERSON, requests=(), csrf="token"),
    "approval": APPROVAL,
    "approval_without_words": replace(APPROVAL, binding_message=None, items=()),
    "approval_of_a_device": replace(
        APPROVAL, is_device=True, binding_message=None, has_offline_access=True, items=()
    ),
    "answered": ANSWERED,
    "answered_device": replace(ANSWERED, is_device=True),
    "answered_denied": replace(ANSWERED, is_allowed=False),
    "device": DEVICE,
    "device_filled": replace(DEVICE, user_code="BCDF-GHJK"),
    "device_wrong": replace(DEVICE, user_code="BCDF-GHJK", is_wrong=True),
    "device_throttled": replace(DEVICE, user_code="BCDF-GHJK", retry_at=NOW),
    "sign_in_to_answer": SignInPage(action="/sign-in/approvals", is_for_approval=True),
    "sign_in": SIGN_IN,
    "my_sign_in": SignInPage(action="/my/sign-in", csrf="token"),
    **{f"sign_in_{notice}": replace(SIGN_IN, notice=notice) for notice in SignInNotice},
    "sign_in_throttled_until": replace(SIGN_IN, notice=SignInNotice.THROTTLED, retry_at=NOW),
    "second_factor": SECOND_FACTOR,
    "second_factor_step_up": replace(SECOND_FACTOR, is_step_up=True),
    **{
        f"second_factor_{notice}": replace(SECOND_FACTOR, notice=notice, attempts_left=3)
        for notice in SecondFactorNotice
        if notice is not SecondFactorNotice.OVERLOADED
    },
    "second_password": SECOND_PASSWORD,
    **{
        f"second_password_{notice}": replace(SECOND_PASSWORD, notice=notice)
        for notice in SecondFactorNotice
        if notice is not SecondFactorNotice.USED
    },
    "second_password_throttled_until": replace(
        SECOND_PASSWORD, notice=SecondFactorNotice.THROTTLED, retry_at=NOW
    ),
    "second_factor_throttled_until": replace(
        SECOND_FACTOR, notice=SecondFactorNotice.THROTTLED, retry_at=NOW
    ),
    "account_choice": AccountChoicePage(client=NETWORK, action="/account-choice/7c1e", person=PERSON),
    "enrolment": EnrolmentPage(client=NETWORK, sign_in_uri="/sign-in/7c1e", activate_uri="/activate/7c1e"),
    **{f"consent_{reason}": replace(CONSENT, reason=reason) for reason in AskReason},
    "consent_without_account": replace(
        CONSENT, reason=AskReason.FIRST_TIME, account=None, purpose=None, link_valid_until=None
    ),
    "consent_with_evidence": replace(CONSENT, items=(*ITEMS, *VERIFICATION)),
    "consent_to_a_test": replace(
        CONSENT,
        client=replace(
            NETWORK,
            is_test=True,
            policy_uri="https://quangio.example/rieng-tu",
            tos_uri="https://quangio.example/dieu-khoan",
        ),
    ),
    "consent_levels_only": replace(CONSENT, items=(), purpose="growth"),
    **{
        f"refused_{refusal}": RefusedPage(
            client=NETWORK,
            refusal=refusal,
            reference="7F3K-91QD",
            account=ACCOUNT,
            min_proofing=Proofing.VN2,
            min_age=16,
            max_links=3,
        )
        for refusal in Refusal
    },
    **{
        f"refused_{refusal}_plainly": RefusedPage(client=NETWORK, refusal=refusal, reference="7F3K-91QD")
        for refusal in Refusal
    },
    "linked_accounts": LinkedAccountsPage(
        person=PERSON,
        links=(*(replace(LINK, status=status) for status in Status), replace(LINK, claims=())),
        filters=FILTERS,
        paging=Paging(first_uri="/my/accounts", next_uri="/my/accounts?after=9"),
        csrf="token",
    ),
    "linked_accounts_and_networks": LinkedAccountsPage(
        person=PERSON,
        links=(LINK,),
        networks=(SIGNED_IN_TO, replace(SIGNED_IN_TO, network="Truyền Hình Sông Hương", claims=())),
        networks_paging=Paging(next_uri="/my/accounts?networks_after=9"),
        csrf="token",
    ),
    "linked_accounts_only_networks": LinkedAccountsPage(
        person=PERSON, links=(), networks=(SIGNED_IN_TO,), csrf="token"
    ),
    "end_network": EndNetworkPage(card=SIGNED_IN_TO, action=SIGNED_IN_TO.end_uri, csrf="token"),
    "network_ended": NetworkEndedPage(network="Chợ Phiên", ended_at=NOW, clock=CLOCK),
    **ACTIVITY_VIEWS,
    "linked_accounts_empty": LinkedAccountsPage(person=PERSON, links=(), csrf="token"),
    **MARK_VIEWS,
    **SANDBOX_VIEWS,
    "link_detail_mark_off": replace(DETAIL, mark=MARK_OFF),
    "link_detail_mark_on": replace(DETAIL, mark=MARK_ON),
    "link_detail": DETAIL,
    **{f"link_detail_{status}": replace(DETAIL, link=replace(LINK, status=status)) for status in Status},
    "link_detail_empty": LinkDetailPage(link=ENDED, timeline=(), csrf="token"),
    "sessions": SESSIONS,
    "sessions_only_this_one": SessionsPage(person=PERSON, sessions=(HERE,), csrf="token"),
    "sign_out": SIGN_OUT,
    "sign_out_for_a_network": replace(SIGN_OUT, client=replace(NETWORK, back_action=None)),
    "signed_out": SignedOutPage(),
    "signed_out_and_in_again": SignedOutPage(is_signed_in=True),
    "link_detail_own_consent": replace(DETAIL, link=replace(LINK, own_consent_due_at=NOW + DAY)),
    "linked_accounts_own_consent": LinkedAccountsPage(
        person=PERSON, links=(replace(LINK, own_consent_due_at=NOW + DAY),), csrf="token"
    ),
    **guardian_views(NETWORK, LINK, PERSON, NOW),
    **notice_views(LINK, NOW),
    **activation_views(NETWORK, NOW),
    **phone_views(NETWORK, NOW),
    **passkey_views(NETWORK, NOW),
    **security_views(NOW),
    **upstream_views(NETWORK, SIGN_IN, NOW),
    **account_views(LINK, PERSON, NOW),
    "end_link": EndLinkPage(link=LINK, action="/my/accounts/1/end", csrf="token"),
    "ended": EndedPage(link=ENDED, ended_at=NOW),
    "ended_with_clock": EndedPage(link=ENDED, ended_at=NOW, clock=CLOCK),
    **{
        f"error_{trouble}": ErrorPage(
            trouble=trouble,
            reference="7F3K-91QD",
            error="invalid_request",
            detail="redirect_uri is not registered",
        )
        for trouble in Trouble
    },
    "error_expired_with_client": ErrorPage(
        trouble=Trouble.EXPIRED, reference="7F3K-91QD", client=replace(NETWORK, back_action=None)
    ),
    **{f"acr_{acr}": AcrPage(acr=acr) for acr in Acr},
    "design": design_view("https://id.lienket.example/design"),
    "event": EventPage(name="account-link-ended", uri="https://idp.example/events/account-link-ended"),
    "form_post": FormPostPage(
        client=replace(NETWORK, back_action=None),
        action="https://quangio.example/callback",
        parameters=(("code", "c0de"), ("state", "s")),
    ),
}
