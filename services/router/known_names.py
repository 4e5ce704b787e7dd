"""Sites and partners of the network in effect, for commands that take the name of one."""

from dataclasses import dataclass

from services.router.db import network as db
from services.router.network import sites_of
from services.router.terminal import run
from shared.errors import UserError
from shared.near_misses import did_you_mean
from shared.postgres import Pool, acquire

_LIST = "`waypost network show` lists the sites"


@dataclass(frozen=True)
class KnownNames:
    """Every site and partner that the newest revision names; none before the first import."""

    sites: frozenset[str]
    partners: frozenset[str]
    has_network: bool = True

    def require_site(self, site_id: str, instead: str = "") -> None:
        """Raises UserError for a site that is not in the network; `instead` is what else could be done."""
        self._require("site", site_id, self.sites, instead)

    def require_partner(self, partner: str, instead: str = "") -> None:
        """Likewise for a partner."""
        self._require("partner", partner, self.partners, instead)

    def _require(self, kind: str, name: str, names: frozenset[str], instead: str) -> None:
        if name in names:
            return
        why = "" if self.has_network else ": none has been imported yet"
        advice = did_you_mean(name, names) or _LIST
        raise UserError(f"there is no {kind} {name} in the network{why}", "; ".join(filter(None, (advice, instead))))


async def known_names(pool: Pool) -> KnownNames:
    """The names of the network in effect."""
    async with acquire(pool) as connection:
        revision = await db.revision(connection)
    sites = sites_of(revision)
    partners = frozenset(site.offering.partner for site in sites if site.offering.partner)
    return KnownNames(frozenset(site.site_id for site in sites), partners, has_network=revision is not None)


def ask_known_names() -> KnownNames:
    """The same, for a command that has no pool of the router."""
    return run(known_names)
