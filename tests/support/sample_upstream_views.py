"""Pages of signing in at another provider, one of each kind, for templates and their looks."""

from dataclasses import replace

from idp.pages.sign_in_views import SignInPage, UpstreamWay
from idp.pages.upstream_views import UpstreamPage, UpstreamTrouble
from idp.pages.views import ClientHeader, Page


def upstream_views(network: ClientHeader, sign_in: SignInPage) -> dict[str, Page]:
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
    return {
        "upstream": page,
        "upstream_alone": replace(page, client=None),
        "upstream_that_creates": replace(page, creates_account=True),
        "sign_in_or_elsewhere": replace(sign_in, upstreams=(way, way)),
        **{
            f"upstream_{trouble}": replace(page, trouble=trouble, reference="U01-7F3K91QD")
            for trouble in UpstreamTrouble
        },
    }
