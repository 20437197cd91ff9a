"""`idp policy ask`: what the policy says of one account, for whoever is asked why a feature is locked.

Nothing is looked up: the question is put together from what the platform, or its member, tells (R17).
"""

from datetime import datetime

import click

from idp.identity.account_links import Status
from idp.identity.assurance import Acr, Proofing
from idp.identity.feature_policy import AccountFacts, Decision, LinkFacts, SignIn, may
from idp.identity.policy_versions import in_force
from idp.operators.desk import Desk, at_desk
from idp.operators.options import json_option, read_moment
from idp.operators.output import invocation


@click.command()
@click.argument("feature")
@click.option(
    "--client", "client_id", default="", metavar="CLIENT_ID", help="The platform; domestic if not given."
)
@click.option(
    "--created-at", required=True, callback=read_moment, metavar="TIME", help="When the account was made."
)
@click.option(
    "--link", type=click.Choice([each.value for each in Status]), help="The state of its link, if any."
)
@click.option(
    "--proofing",
    default=Proofing.VN1.value,
    show_default=True,
    type=click.Choice([each.value for each in Proofing]),
    help="How the person was proofed.",
)
@click.option(
    "--acr",
    default=Acr.VN_1.value,
    show_default=True,
    type=click.Choice([each.value for each in Acr]),
    help="How strong their last sign-in was.",
)
@click.option("--signed-in-at", callback=read_moment, metavar="TIME", help="When that was; now if not given.")
@click.option("--at", callback=read_moment, metavar="TIME", help="Ask about this moment instead of now.")
@json_option
def ask(
    *,
    feature: str,
    client_id: str,
    created_at: datetime,
    link: str | None,
    proofing: str,
    acr: str,
    signed_in_at: datetime | None,
    at: datetime | None,
) -> None:
    """Say whether an account may use a feature, why, and until when."""

    async def work(desk: Desk) -> tuple[int, Decision]:
        now = at or desk.clock()
        version = in_force(await desk.unit_of_work().feature_policies.all(), now)
        facts = None
        if link is not None:
            signed_in = SignIn(Acr(acr), signed_in_at or now)
            facts = LinkFacts(Status(link), Proofing(proofing), (signed_in,))
        return version.version, may(version.policy, feature, AccountFacts(client_id, created_at, facts), now)

    version, decision = at_desk(work)
    document = {
        "feature": feature,
        "version": version,
        "is_allowed": decision.is_allowed,
        "reason": decision.reason,
        "lack": decision.lack,
        "step": decision.step,
        "until": decision.until,
    }
    said = "allowed" if decision.is_allowed else "restricted"
    until = "" if decision.until is None else f", until {decision.until.isoformat(timespec='seconds')}"
    lines = [f"{feature}: {said} ({decision.reason}){until}"]
    if decision.lack is not None:
        lines.append(f"  missing: {decision.lack}; what helps: {decision.step or 'nothing'}")
    invocation().answer(document, lines)
