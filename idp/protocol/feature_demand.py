"""What the feature policy adds to an authorization request that is made for a feature. RFC 9470 §4; rule R2.

A platform asks for a step-up by `purpose` (RFC 9396 details of type `account_link`). Where that is a
feature's name, the feature's requirement holds here as well as there: whoever forgets `acr_values` or
`max_age` does not get a weaker sign-in past the policy. A request may ask for more, never for less.
"""

from dataclasses import replace

from idp.identity.feature_policy import FeaturePolicy
from idp.protocol.model import AuthorizationRequest, Client


def with_demand(
    request: AuthorizationRequest, client: Client, policy: FeaturePolicy
) -> tuple[AuthorizationRequest, Client]:
    """Return request and client as the journey judges them: with the stricter of what each demands."""
    purpose = None if request.account_link is None else request.account_link.purpose
    requirement = None if purpose is None else policy.features.get(purpose)
    if requirement is None:
        return request, client
    own = client.policy
    proofing = own.min_proofing
    if not proofing.satisfies(requirement.min_proofing):
        proofing = requirement.min_proofing
    acr = own.min_acr if own.min_acr.satisfies(requirement.min_acr) else requirement.min_acr
    demanding = replace(client, policy=replace(own, min_proofing=proofing, min_acr=acr))
    if requirement.max_age is None:
        return request, demanding
    seconds = int(requirement.max_age.total_seconds())
    max_age = seconds if request.max_age is None else min(seconds, request.max_age)
    return replace(request, max_age=max_age), demanding
