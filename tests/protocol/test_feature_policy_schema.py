"""The schema of the policy document describes what is published, and nothing that could not be."""

from typing import Any

import pytest
from hypothesis import given
from jsonschema_rs import Draft202012Validator

from idp.identity.feature_policy import DEFAULT, FeaturePolicy
from idp.protocol.feature_policy_document import feature_policy_document, instant
from idp.protocol.feature_policy_schema import FEATURE_POLICY
from tests.protocol.test_feature_policy_document import READ, policies
from tests.support.protocol_builders import NOW

VALIDATOR = Draft202012Validator(FEATURE_POLICY, validate_formats=True)
HEAD = {"version": 2, "effective_at": instant(NOW)}


@given(policies)
def test_every_policy_fits(policy: FeaturePolicy) -> None:
    assert VALIDATOR.is_valid(HEAD | feature_policy_document(policy))


def test_what_is_announced_fits() -> None:
    following = {"version": 3, "effective_at": instant(NOW)}
    assert VALIDATOR.is_valid(HEAD | feature_policy_document(READ) | {"next": following})


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("version", 0),
        ("effective_at", "tomorrow"),
        ("features", {}),
        ("features/Post", {}),
        ("features/post/min_age", 16),
        ("features/post/min_acr", "vn-9"),
        ("features/post/max_age", -1),
        ("deadlines/domestic/consequence", "delete"),
        ("deadlines/domestic/due_at", 3),
        ("deadlines/cross_border", {"elsewhere": {"due_at": instant(NOW)}}),
        ("deadlines/abroad", {}),
    ],
)
def test_what_could_not_be_published_does_not_fit(place: str, value: object) -> None:
    document: dict[str, Any] = HEAD | feature_policy_document(DEFAULT)
    *way, last = place.split("/")
    members = document
    for name in way:
        members = members[name]
    members[last] = value
    assert not VALIDATOR.is_valid(document)
