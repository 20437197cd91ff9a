"""Views of every page of guardians and children, for `sample_views`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from idp.identity.assurance import Proofing
from idp.identity.guardian_requests import Outlook
from idp.pages.guardian_views import (
    ChildAnsweredPage,
    ChildCard,
    ChildLinkEndedPage,
    ChildLinksPage,
    ChildQuestionPage,
    ChildrenPage,
    EndChildLinkPage,
    GuardianNeededPage,
    OwnConsentPage,
    QuestionCard,
)
from idp.pages.views import ClientHeader, LinkCard, Page

CHILD = "Trần Bảo An (giả lập)"
CHILDREN = "/my/children"


def guardian_views(network: ClientHeader, link: LinkCard, person: str, now: datetime) -> Mapping[str, Page]:
    """Return them with ordinary people in them."""
    no_way_back = replace(network, back_action=None)
    needed = GuardianNeededPage(
        client=network,
        action="/guardian/1",
        account=link.account,
        outlook=Outlook.NOT_ASKED,
        has_guardian=True,
        can_ask=True,
        until=now + timedelta(days=7),
        continue_uri="/authorize/1",
    )
    card = QuestionCard(
        child=CHILD,
        network=network.name,
        domain=network.domain,
        account=link.account,
        asked_at=now,
        uri=f"{CHILDREN}/requests/1",
    )
    children = ChildrenPage(
        person=person,
        children=(ChildCard(name=CHILD, links_uri=f"{CHILDREN}/1"),),
        questions=(card,),
        first_page_uri=CHILDREN,
        next_page_uri=f"{CHILDREN}?after=9",
        next_questions_uri=f"{CHILDREN}?questions_after=9",
        csrf="token",
    )
    question = ChildQuestionPage(
        client=no_way_back,
        action=f"{CHILDREN}/requests/1",
        person=person,
        child=CHILD,
        account=link.account,
        purpose="post",
        proofing=Proofing.VN2,
        claims=("age_over_14", "name"),
        is_childs_choice_too=False,
        asked_at=now,
        expires_at=now + timedelta(days=7),
        children_uri=CHILDREN,
        csrf="token",
    )
    answered = ChildAnsweredPage(
        client=no_way_back,
        child=CHILD,
        is_approved=True,
        until=now + timedelta(days=30),
        children_uri=CHILDREN,
    )
    ended = replace(link, end_uri=None, ended_at=now)
    links = ChildLinksPage(
        child=CHILD,
        links=(link, ended),
        children_uri=CHILDREN,
        first_page_uri=f"{CHILDREN}/1",
        next_page_uri=f"{CHILDREN}/1?after=9",
    )
    return {
        "guardian_needed": needed,
        **{f"guardian_needed_{outlook}": replace(needed, outlook=outlook) for outlook in Outlook},
        "guardian_needed_unknown": replace(needed, has_guardian=False),
        "guardian_needed_too_many": replace(needed, can_ask=False),
        "children": children,
        "children_none": replace(
            children,
            children=(),
            questions=(),
            first_page_uri=None,
            next_page_uri=None,
            next_questions_uri=None,
        ),
        "child_question": question,
        "child_question_of_both": replace(question, is_childs_choice_too=True, claims=(), purpose=None),
        "child_answered": answered,
        "child_answered_no": replace(answered, is_approved=False),
        "child_links": links,
        "child_links_none": replace(links, links=(), first_page_uri=None, next_page_uri=None),
        "end_child_link": EndChildLinkPage(
            child=CHILD,
            link=link,
            action=f"{CHILDREN}/1/links/1/end",
            links_uri=f"{CHILDREN}/1",
            csrf="token",
        ),
        "child_link_ended": ChildLinkEndedPage(
            child=CHILD, link=ended, ended_at=now, links_uri=f"{CHILDREN}/1"
        ),
        "own_consent": OwnConsentPage(
            link=link,
            action="/my/accounts/1/own-consent",
            due_at=now + timedelta(days=60),
            my_accounts_uri="/my/accounts",
            csrf="token",
        ),
    }
