"""The four outcomes of a decision: the lead's row after each, the loads it changes, and its record."""

from datetime import datetime
from typing import NamedTuple

from services.router.domain.choose import Choice
from services.router.domain.ledger import Decided, LeadFeatures, LeadLedger, LeadState
from services.router.domain.record import ENGINE_VERSION, optional, utc_text
from services.router.domain.transition import Step
from shared.contracts import Cause, ClosedReason, Result, WaitingReason
from shared.vocabulary import Intent

# Of a whole tuple: the constructor that a NamedTuple makes for itself takes twice as long.
_new = tuple.__new__


class Turn(NamedTuple):
    """A lead's next epoch, begun: whose it is, what led to it, and the beginning of its record."""

    lead: LeadFeatures
    ledger: LeadLedger
    """The row before."""
    epoch: int
    decision_id: str
    excluded: tuple[str, ...]
    frees: str | None
    text: str
    """Ends before the name of the outcome."""

    def saying(self, member: str) -> "Turn":
        """The turn with one more member (`"name":value`) in its record."""
        return self._replace(text=f"{self.text}{member},")


class TurnWriter:
    """Begins the turns of one batch: one time, one network revision, one policy version."""

    __slots__ = ("_from_decided_at",)

    def __init__(self, now: datetime, network_revision: int, policy_version: int) -> None:
        self._from_decided_at = (
            f'"decided_at":"{utc_text(now)}","network_revision":{network_revision},'
            f'"policy_version":{policy_version},"engine_version":"{ENGINE_VERSION}",'
        )

    def begin(
        self, lead: LeadFeatures, ledger: LeadLedger, step: Step, cause_id: str, id_text: str, received_at: str
    ) -> Turn:
        """The next epoch of `lead`, caused by the fact `cause_id`.

        `id_text` is its `decision_id`, `received_at` the text of the lead's time.
        """
        epoch = ledger.epoch + 1
        excluded = ledger.excluded
        if step.excludes is not None and step.excludes not in excluded:
            excluded = (*excluded, step.excludes)
        return Turn(
            lead,
            ledger,
            epoch,
            id_text,
            excluded,
            step.frees,
            self._opening(lead, epoch, id_text, asked_for(lead.intent, step.cause), cause_id, received_at),
        )

    def _opening(
        self, lead: LeadFeatures, epoch: int, id_text: str, asked: str, cause_id: str, received_at: str
    ) -> str:
        """The beginning of a record, up to what was decided; `asked` as `asked_for` says it."""
        return (
            f'{{"decision_id":"{id_text}","lead_id":"{lead.lead_id}","epoch":{epoch},"person_id":"{lead.person_id}",'
            f'{asked}"{cause_id}","received_at":"{received_at}",{self._from_decided_at}'
        )

    def assign_first(
        self,
        lead: LeadFeatures,
        id_text: str,
        cause_id: str,
        asked: str,
        received_at: str,
        site_id: str,
        distance_m: int,
        candidates: str,
        respond_by: datetime,
        terms: str,
        looked: str,
    ) -> Decided:
        """What `begin` and `assign` make of a lead that was just received and has no wish.

        `asked`: as `asked_for` says it. `looked`: what the record says of how far was looked, with its comma; empty
        where it says nothing.
        """
        opening = self._opening(lead, 1, id_text, asked, cause_id, received_at)
        record = (
            f'{opening}{looked}"outcome":"assigned","site_id":"{site_id}","distance_m":{distance_m},'
            f'{terms},"preferred":"none","candidates":[{candidates}]}}'
        )
        after = _new(LeadLedger, (1, LeadState.HELD, site_id, 1, respond_by, None, (), None))
        return _new(
            Decided,
            (
                lead.lead_id,
                1,
                id_text,
                "assigned",
                site_id,
                after,
                ((site_id, 1),),
                respond_by,
                None,
                None,
                record.encode(),
                None,
                None,
                (),
                (),
            ),
        )


def asked_for(intent: Intent, cause: Cause) -> str:
    """The part of a record between the person and the id of the fact that caused the decision."""
    return f'"intent":"{intent.value}","cause":"{cause.value}","cause_id":'


def deadlines(respond_by: datetime, remind_at: datetime | None, escalate_at: datetime | None) -> str:
    """The text of an assignment's times; what does not happen is not in it."""
    text = f'"respond_by":"{utc_text(respond_by)}"'
    if remind_at is not None:
        text += f',"remind_at":"{utc_text(remind_at)}"'
    return text if escalate_at is None else f'{text},"escalate_at":"{utc_text(escalate_at)}"'


def assign(turn: Turn, choice: Choice, respond_by: datetime, terms: str) -> Decided:
    """The chosen site holds the lead until `respond_by`; `terms` is the text of that and of what else is agreed."""
    site_id = choice.site_id
    taken = (site_id, 1)
    return Decided(
        turn.lead.lead_id,
        turn.epoch,
        turn.decision_id,
        "assigned",
        site_id,
        LeadLedger(turn.epoch, LeadState.HELD, site_id, turn.epoch, respond_by, None, turn.excluded),
        (taken,) if turn.frees is None else ((turn.frees, -1), taken),
        respond_by,
        None,
        None,
        (
            f'{turn.text}"outcome":"assigned","site_id":"{site_id}","distance_m":{(choice.distance_mm + 500) // 1000},'
            f'{terms},"preferred":"{choice.preferred}","candidates":[{choice.candidates}]{choice.measure}}}'
        ).encode(),
    )


def wait(
    turn: Turn,
    reason: WaitingReason,
    candidates: str,
    measure: str = "",
    retry_at: datetime | None = None,
    full: tuple[str, ...] = (),
    full_today: tuple[str, ...] = (),
) -> Decided:
    """Nobody can take the lead now; from `measure` on as in a `Choice`."""
    again = "" if retry_at is None else f',"retry_at":"{utc_text(retry_at)}"'
    return Decided(
        turn.lead.lead_id,
        turn.epoch,
        turn.decision_id,
        "waiting",
        None,
        LeadLedger(turn.epoch, LeadState.WAITING, excluded=turn.excluded, waiting=reason),
        _freed(turn),
        None,
        reason,
        None,
        (
            f'{turn.text}"outcome":"waiting","reason":"{reason.value}"{again},"candidates":[{candidates}]{measure}}}'
        ).encode(),
        retry_at=retry_at,
        full=full,
        full_today=full_today,
    )


def join(turn: Turn, joins_lead_id: str, site_id: str | None) -> Decided:
    """The person's live lead goes on for both; `site_id` is its holder, when it has one."""
    record = f'{turn.text}"outcome":"joined","joins_lead_id":"{joins_lead_id}"{optional("site_id", site_id)}}}'
    return Decided(
        turn.lead.lead_id,
        turn.epoch,
        turn.decision_id,
        "joined",
        site_id,
        LeadLedger(turn.epoch, LeadState.JOINED, site_id),
        (),
        None,
        None,
        joins_lead_id,
        record.encode(),
    )


def close(turn: Turn, reason: ClosedReason, result: Result | None) -> Decided:
    """The hold is over; the site that had the lead, if one did, stays named."""
    before = turn.ledger
    # A joined lead shows the holder of another lead: it was never that site's own.
    site_id = None if before.assignment_epoch is None else before.site_id
    assigned_in = "" if site_id is None else f',"assignment_epoch":{before.assignment_epoch}'
    record = (
        f'{turn.text}"outcome":"closed","reason":"{reason.value}"{optional("site_id", site_id)}{assigned_in}'
        f"{optional('result', None if result is None else result.value)}}}"
    )
    return Decided(
        turn.lead.lead_id,
        turn.epoch,
        turn.decision_id,
        "closed",
        site_id,
        LeadLedger(
            turn.epoch, LeadState.CLOSED, site_id, before.assignment_epoch, closed=reason, excluded=before.excluded
        ),
        _freed(turn),
        None,
        None,
        None,
        record.encode(),
    )


def _freed(turn: Turn) -> tuple[tuple[str, int], ...]:
    return () if turn.frees is None else ((turn.frees, -1),)
