"""The endpoints that machines call, one file each, named after its field in the discovery document."""

from collections.abc import Mapping

from fastapi import APIRouter

from idp.endpoints import (
    account_link_changes,
    account_link_management,
    account_link_reports,
    account_links,
    authorization,
    backchannel_authentication,
    device_authorization,
    end_session,
    event_stream_poll,
    event_stream_status,
    event_stream_subjects,
    event_stream_verification,
    event_streams,
    feature_policy,
    federation_historical_keys,
    introspection,
    link_receipts,
    platform_api,
    pushed_authorization_request,
    registration,
    revocation,
    ssf,
    status_list_aggregation,
    status_lists,
    token,
    transparency,
    userinfo,
    well_known,
)
from idp.web.direct_routes import Handler, NamedHandler

router = APIRouter()
for endpoint in (
    token,
    userinfo,
    status_list_aggregation,
    status_lists,
    link_receipts,
    federation_historical_keys,
    feature_policy,
    account_link_changes,
    platform_api,
    account_links,
    account_link_management,
    account_link_reports,
    introspection,
    revocation,
    authorization,
    pushed_authorization_request,
    registration,
    backchannel_authentication,
    device_authorization,
    end_session,
    transparency,
    ssf,
    event_streams,
    event_stream_status,
    event_stream_subjects,
    event_stream_verification,
    event_stream_poll,
    well_known,
):
    router.include_router(endpoint.router)

CROSS_ORIGIN_PATHS = frozenset({"/token", "/userinfo", "/par", "/revoke"})
"""What clients without a back-end of their own call from a page of theirs."""

HOT_PATHS: Mapping[tuple[str, str], Handler] = {
    ("POST", "/token"): token.token,
    ("GET", "/userinfo"): userinfo.userinfo,
    ("POST", "/userinfo"): userinfo.userinfo_by_post,
    ("GET", "/account-links"): account_links.account_links,
    ("GET", "/account-links/changes"): account_link_changes.account_link_changes,
    ("GET", "/account-links/openapi.json"): platform_api.platform_api,
    ("GET", feature_policy.PATH): feature_policy.feature_policy,
    ("POST", "/introspect"): introspection.introspection,
    ("POST", "/revoke"): revocation.revocation,
    ("GET", "/account-links/status-lists"): status_list_aggregation.status_list_aggregation,
    ("GET", "/authorize"): authorization.authorization,
    ("POST", "/authorize"): authorization.authorization_by_post,
    ("POST", "/par"): pushed_authorization_request.pushed_authorization_request,
    ("POST", "/backchannel-authentication"): backchannel_authentication.backchannel_authentication,
    ("GET", "/jwks"): well_known.jwks,
    ("GET", "/.well-known/openid-configuration"): well_known.openid_configuration,
    ("GET", "/.well-known/oauth-authorization-server"): well_known.oauth_authorization_server,
}
"""What is called by the thousand, reached without the router (see `idp.web.direct_routes`)."""

HOT_NAMED_PATHS: Mapping[tuple[str, str], NamedHandler] = {
    ("GET", "/account-links"): account_links.account_link,
    ("GET", "/authorize"): authorization.continue_authorization,
    ("GET", "/status-lists"): status_lists.status_list,
}
