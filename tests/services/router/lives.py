"""One lead and its row: something happens to it, the engine decides, and the next thing happens to what came of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.router.domain import (
    NEW,
    Answered,
    Ask,
    Decided,
    Due,
    LeadFeatures,
    Ordered,
    Received,
    Stale,
    StaleReason,
    Stimulus,
    decide_batch,
)
from services.router.policy import Policy
from services.router.snapshot import Site, Snapshot
from shared.contracts import Answer, Order, Place, Result
from shared.vocabulary import Accuracy, Datum
from tests.services.router.networks import NOW, lead, policy


class Life:
    """A lead that arrives on a network; every step is the next thing that happens to it."""

    def __init__(
        self,
        network: Sequence[Site],
        rules: Policy | None = None,
        features: LeadFeatures | None = None,
        held: dict[str, int] | None = None,
    ) -> None:
        self.snapshot = Snapshot.build(network, 1)
        self.policy = rules or policy()
        self.lead = features or lead()
        self.row = NEW
        self.loads = held if held is not None else {}
        self._facts = 0

    def arrives(self) -> Decided:
        """It is received."""
        return self._decided(self.then(Received(self._fact())))

    def declined(self) -> Decided:
        """Its holder declines."""
        assert self.row.site_id is not None
        assert self.row.assignment_epoch is not None
        said = Answered(self._fact(), self.row.assignment_epoch, self.row.site_id, Answer.DECLINED)
        return self._decided(self.then(said))

    def is_silent(self) -> Decided:
        """Its holder lets the deadline pass."""
        return self._decided(self.then(Due(self._fact(), self.row.epoch, "respond_by", NOW + timedelta(days=9))))

    def is_tried_again(self) -> Decided | StaleReason:
        """A timer asks for it."""
        return self.then(Due(self._fact(), self.row.epoch, "retry", NOW))

    def is_ordered(
        self, site_id: str | None = None, at: tuple[float, float] | None = None, *, epoch: int | None = None
    ) -> Decided | StaleReason:
        """An operator orders it to a site, to another place, or to be tried again."""
        place = None if at is None else place_at(at)
        order = Order(ordered_by="mei", site_id=site_id, place=place)
        return self.then(Ordered(self._fact(), self.row.epoch if epoch is None else epoch, order))

    def is_ended(self, result: Result = Result.LOST) -> Decided | StaleReason:
        """An operator orders that it is over."""
        return self.then(Ordered(self._fact(), self.row.epoch, Order(ordered_by="mei", result=result)))

    def then(self, stimulus: Stimulus, now: datetime = NOW) -> Decided | StaleReason:
        """Anything else happens."""
        [answer] = decide_batch([Ask(self.lead, self.row, stimulus)], self.snapshot, self.policy, self.loads, now)
        if isinstance(answer, Stale):
            return answer.reason
        self.row = answer.after
        if answer.point is not None:
            self.lead = self.lead._replace(point=answer.point)
        for site_id, change in answer.deltas:
            self.loads[site_id] = self.loads.get(site_id, 0) + change
        return answer

    @staticmethod
    def _decided(answer: Decided | StaleReason) -> Decided:
        assert isinstance(answer, Decided), answer
        return answer

    def _fact(self) -> str:
        self._facts += 1
        return str(UUID(int=60_000 + self._facts))


def place_at(point: tuple[float, float]) -> Place:
    """A place that an operator names."""
    return Place(lat=point[0], lon=point[1], accuracy=Accuracy.POINT, given_datum=Datum.WGS84)
