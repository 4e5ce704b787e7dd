"""The network and the policy in effect, for commands that look and change nothing."""

from services.router.db import network as db
from services.router.network import sites_of
from services.router.policy import Policy
from services.router.snapshot import Snapshot
from services.router.trying import Setting
from shared.errors import UserError
from shared.postgres import Connection


async def setting_in_effect(connection: Connection) -> Setting:
    """What decides now; before the first import the network is empty, as revision 0.

    Raises UserError while there is no policy.
    """
    revision, published = await db.revision(connection), await db.policy(connection)
    if published is None:
        raise UserError("no policy has been published yet", "`waypost policy publish FILE` publishes one")
    snapshot = Snapshot.build(sites_of(revision), revision.revision if revision else 0)
    return Setting(snapshot, Policy.from_toml(published.toml, published.version))
