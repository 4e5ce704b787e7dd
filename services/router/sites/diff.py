"""What changes between two revisions of the network."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.router.sites.site import Site


@dataclass(frozen=True, slots=True)
class SiteChange:
    """One site that both revisions have, and the columns in which they differ."""

    before: Site
    after: Site
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NetworkDiff:
    """Additions, changes and removals, each in site-id order."""

    added: tuple[Site, ...]
    changed: tuple[SiteChange, ...]
    removed: tuple[Site, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def diff_networks(before: Sequence[Site], after: Sequence[Site]) -> NetworkDiff:
    """What turns `before` into `after`; empty (false) when they are the same network."""
    old = {site.site_id: site for site in before}
    new = {site.site_id: site for site in after}
    return NetworkDiff(
        added=tuple(new[site_id] for site_id in sorted(new.keys() - old.keys())),
        changed=tuple(
            SiteChange(old[site_id], new[site_id], _differing(old[site_id], new[site_id]))
            for site_id in sorted(old.keys() & new.keys())
            if old[site_id] != new[site_id]
        ),
        removed=tuple(old[site_id] for site_id in sorted(old.keys() - new.keys())),
    )


def _differing(before: Site, after: Site) -> tuple[str, ...]:
    old, new = before.to_row(), after.to_row()
    return tuple(column for column in old | new if old.get(column) != new.get(column))
