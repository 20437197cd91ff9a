"""A request for a feature is held to the feature's requirement: what is stricter counts, from either side."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.identity.account_links import AccountLinkRequest, LinkPolicy
from idp.identity.assurance import Acr, Proofing
from idp.identity.feature_policy import FeaturePolicy, Requirement
from idp.protocol.feature_demand import with_demand
from idp.protocol.model import AuthorizationRequest
from tests.support.protocol_builders import make_client

POLICY = FeaturePolicy(
    {
        "post": Requirement(),
        "sell": Requirement(Proofing.VN2, Acr.VN_2, max_age=timedelta(minutes=15)),
    }
)
REQUEST = AuthorizationRequest(
    "network",
    "https://network.example/callback",
    frozenset({"openid"}),
    None,
    account_link=AccountLinkRequest("4711", purpose="sell"),
)
CLIENT = make_client(policy=LinkPolicy(min_age=16))


def for_purpose(purpose: str | None) -> AuthorizationRequest:
    return replace(REQUEST, account_link=AccountLinkRequest("4711", purpose=purpose))


@pytest.mark.parametrize(
    "request_",
    [for_purpose("post"), for_purpose("holiday"), for_purpose(None), replace(REQUEST, account_link=None)],
    ids=["asks for nothing more", "no feature", "no purpose", "no account"],
)
def test_without_a_demand_nothing_changes(request_: AuthorizationRequest) -> None:
    assert with_demand(request_, CLIENT, POLICY) == (request_, CLIENT)


def test_the_feature_demands_what_the_platform_forgot() -> None:
    request, client = with_demand(REQUEST, CLIENT, POLICY)
    assert request == replace(REQUEST, max_age=900)
    assert client.policy == LinkPolicy(Proofing.VN2, Acr.VN_2, min_age=16)
    assert replace(client, policy=CLIENT.policy) == CLIENT


@pytest.mark.parametrize(("asked", "held"), [(60, 60), (0, 0), (900, 900), (86400, 900)])
def test_the_shorter_age_counts(asked: int, held: int) -> None:
    assert with_demand(replace(REQUEST, max_age=asked), CLIENT, POLICY)[0].max_age == held


@pytest.mark.parametrize(
    ("own", "held"),
    [
        (LinkPolicy(Proofing.VN1, Acr.VN_3), LinkPolicy(Proofing.VN2, Acr.VN_3)),
        (LinkPolicy(Proofing.VNF, Acr.VN_1), LinkPolicy(Proofing.VNF, Acr.VN_2)),
        (LinkPolicy(Proofing.VN2, Acr.VN_4), LinkPolicy(Proofing.VN2, Acr.VN_4)),
    ],
)
def test_the_stronger_level_counts(own: LinkPolicy, held: LinkPolicy) -> None:
    assert with_demand(REQUEST, make_client(policy=own), POLICY)[1].policy == held
