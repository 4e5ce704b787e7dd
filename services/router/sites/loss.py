"""What a network would take from the sites that get leads: most often a file with a part of the sites only."""

from collections.abc import Sequence
from typing import NamedTuple

from services.router.sites.diff import NetworkDiff
from services.router.sites.site import Site
from shared.vocabulary import SiteStatus
from shared.words import counted

LEAST_ASKED = 2
"""Sites. One that closes is every day's business."""
PART_ASKED = 10
"""More than one in so many open sites is asked back."""
_NAMED = 3


class Loss(NamedTuple):
    """Open sites that would get no leads any more, because they are gone or not open."""

    site_ids: tuple[str, ...]
    """In order."""
    of: int
    """Open sites before."""

    @property
    def is_large(self) -> bool:
        """Whether somebody must say that it is meant."""
        return len(self.site_ids) >= LEAST_ASKED and len(self.site_ids) * PART_ASKED > self.of

    def __str__(self) -> str:
        more = f" and {len(self.site_ids) - _NAMED} more" if len(self.site_ids) > _NAMED else ""
        named = ", ".join(self.site_ids[:_NAMED])
        return f"{len(self.site_ids)} of {counted(self.of, 'open site')} would get no leads any more: {named}{more}"


NO_LOSS = Loss((), 0)


def loss_of(before: Sequence[Site], diff: NetworkDiff) -> Loss:
    """The open sites of `before` that the change takes away or closes."""
    gone = [site.site_id for site in diff.removed if site.status is SiteStatus.OPEN]
    closed = [
        change.after.site_id
        for change in diff.changed
        if change.before.status is SiteStatus.OPEN and change.after.status is not SiteStatus.OPEN
    ]
    return Loss(tuple(sorted(gone + closed)), sum(site.status is SiteStatus.OPEN for site in before))
