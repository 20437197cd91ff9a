"""Signs the state of the log, at most once a minute, for everybody to remember. RFC 9162 §4.10."""

from datetime import datetime, timedelta

from idp.audit.checkpoints import CHECKPOINT_TYPE, Checkpoint, checkpoint_claims
from idp.audit.tiles import root_from, tiles_for
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from keys import Custody

EVERY = timedelta(minutes=1)
ALGORITHM = "ES256"
"""What every library can verify, and what the policy of keys has as its default."""


async def publish_checkpoint(uow: UnitOfWork, custody: Custody, issuer: str, now: datetime) -> bool:
    """Sign a checkpoint if the log has grown and the last one is a minute old; tell whether one was made.

    Raises TileError when the tree has a hole.
    """
    newest = await uow.merkle_log.newest_checkpoint()
    if newest is not None and now - newest.created_at < EVERY:
        return False
    size = await uow.merkle_log.size()
    if size <= (0 if newest is None else newest.tree_size):
        return False
    root = root_from(await uow.merkle_log.tiles(tiles_for([(0, size)])), size)
    claims = checkpoint_claims(issuer, size, root, now)
    signed = custody.signing.signer(ALGORITHM).sign(claims, typ=CHECKPOINT_TYPE)
    uow.merkle_log.publish(Checkpoint(size, root, now, signed))
    try:
        await uow.commit()
    except GateClosedError:
        return False
    return True
