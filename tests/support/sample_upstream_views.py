"""Pages of signing in at another provider, one of each kind, for templates and their looks."""

from dataclasses import replace
from datetime import datetime

from idp.pages.sign_in_views import SignInPage, UpstreamWay
from idp.pages.upstream_views import UpstreamCard, UpstreamPage, UpstreamsPage, UpstreamTrouble
from idp.pages.views import ClientHeader, Page


def upstream_views(network: ClientHeader, sign_in: SignInPage, now: datetime) -> dict[str, Page]:
    """Return them by name."""
    name = {"vi": "Định danh Sen <b>", "en": "Lotus ID <b>"}
    page = UpstreamPage(
        client=network,
        action="/sign-in/7c1e/upstream/lotus",
        name=name,
        domain="id.sen.example",
        other_ways_uri="/sign-in/7c1e",
    )
    way = UpstreamWay(name=name, uri="/sign-in/7c1e/upstream/lotus")
    card = UpstreamCard(upstream_id="lotus", name=name, since=now, last_used_at=now)
    own = UpstreamsPage(
        accounts=(card, replace(card, upstream_id="bamboo")),
        end_action="/my/upstreams/end",
        others=(way,),
        csrf="token",
    )
    return {
        "upstreams": own,
        "upstreams_only": replace(own, accounts=(replace(card, is_only_way=True),)),
        "upstreams_none": replace(own, accounts=()),
        "upstream": page,
        "upstream_alone": replace(page, client=None),
        "upstream_that_creates": replace(page, creates_account=True),
        "sign_in_or_elsewhere": replace(sign_in, upstreams=(way, way)),
        **{
            f"upstream_{trouble}": replace(page, trouble=trouble, reference="U01-7F3K91QD")
            for trouble in UpstreamTrouble
        },
    }
