"""The endpoints that machines call, one file each, named after its field in the discovery document."""

from fastapi import APIRouter

from idp.endpoints import authorization, pushed_authorization_request, token, userinfo, well_known

router = APIRouter()
# The hottest first: routes are matched in order.
for endpoint in (token, userinfo, authorization, pushed_authorization_request, well_known):
    router.include_router(endpoint.router)
