"""Direct routes and the router never differ: what is reached quickly is what is registered."""

from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from idp.app import HOT_PAGES
from idp.endpoints import (
    HOT_NAMED_PATHS,
    HOT_PATHS,
    account_link_changes,
    account_links,
    authorization,
    backchannel_authentication,
    feature_policy,
    introspection,
    platform_api,
    pushed_authorization_request,
    revocation,
    status_list_aggregation,
    status_lists,
    token,
    userinfo,
    well_known,
)
from idp.pages import consent, second_factor, sign_in
from tests.support.provider import running_provider

pytestmark = pytest.mark.anyio

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router
    for module in (
        account_link_changes,
        account_links,
        authorization,
        backchannel_authentication,
        feature_policy,
        introspection,
        platform_api,
        pushed_authorization_request,
        revocation,
        status_list_aggregation,
        status_lists,
        token,
        userinfo,
        well_known,
        consent,
        second_factor,
        sign_in,
    )
)
REGISTERED = {
    (method, route.path): route.endpoint
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in route.methods or ()
}


@pytest.mark.parametrize("key", HOT_PATHS, ids=" ".join)
def test_an_exact_path_reaches_the_handler_that_is_registered(key: tuple[str, str]) -> None:
    assert REGISTERED[key] is HOT_PATHS[key]


@pytest.mark.parametrize("key", HOT_NAMED_PATHS | HOT_PAGES, ids=" ".join)
def test_a_named_path_reaches_the_handler_that_is_registered(key: tuple[str, str]) -> None:
    method, prefix = key
    found = [
        handler
        for (registered_method, path), handler in REGISTERED.items()
        if registered_method == method and path.rpartition("/")[0] == prefix and path.endswith("}")
    ]
    assert found == [(HOT_NAMED_PATHS | HOT_PAGES)[key]]


async def test_longer_paths_and_other_methods_are_left_to_the_router(sqlite_url: str, tmp_path: Path) -> None:
    async with running_provider(sqlite_url, tmp_path) as provider, provider.http() as browser:
        assert (await browser.get("/sign-in/a/b")).status_code == 404
        assert (await browser.delete("/token")).status_code == 405
