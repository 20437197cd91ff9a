"""Counting what a request costs in statements and commits, while the process does nothing else."""

import pytest

from idp.web.clients import ClientDirectory
from idp.web.feature_policies import FeaturePolicyInForce
from idp.web.simulations import Sandbox


@pytest.fixture
def unrefreshed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep processes from looking, once a second, whether clients or policies changed.

    One look may be under way already, so whoever compares costs takes the least of several.
    """

    async def nothing(*_: object) -> None:
        """Take the place of a look."""

    for kind in (ClientDirectory, FeaturePolicyInForce, Sandbox):
        monkeypatch.setattr(kind, "refresh", nothing)
