"""Asks the map service about the leads of one request that need it, all at once, before they queue for a transaction.

No connection of PostgreSQL is held meanwhile and no other request waits; a lead without an answer waits for its place.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from services.lead_intake.domain import Lead, LookedUp
from services.lead_intake.faults import Fault
from services.lead_intake.geocoding.finder import PlaceFinder
from services.lead_intake.geocoding.judging import judge
from services.lead_intake.geocoding.port import Question
from services.lead_intake.problems import Problem
from services.lead_intake.written_place import may_mean

_LOCATION = "/location"


async def look_up(
    finder: PlaceFinder, leads: Sequence[Lead | Problem], clock: Callable[[], datetime]
) -> list[Lead | Problem]:
    """The leads in their order, with what the service could settle."""

    if all(isinstance(lead, Problem) or lead.question is None for lead in leads):
        return list(leads)

    async def settled(lead: Lead | Problem) -> Lead | Problem:
        if isinstance(lead, Problem) or lead.question is None:
            return lead
        return await _ask(finder, lead, lead.question, clock)

    return list(await asyncio.gather(*map(settled, leads)))


async def _ask(finder: PlaceFinder, lead: Lead, question: Question, clock: Callable[[], datetime]) -> Lead:
    started = clock()
    asked = await finder.find(question)
    lead = replace(lead, looked_up=LookedUp(asked.result, started, clock()))
    judged = judge(asked.found, lead.place_candidates, question.province)
    if judged.place is None and not judged.candidates:
        return lead
    remarks = tuple(remark for remark in lead.remarks if not remark.pointer.startswith(_LOCATION))
    if judged.place is not None:
        return replace(lead, place=judged.place, place_candidates=(), remarks=remarks)
    told = Fault(_LOCATION, may_mean(judged.candidates))
    return replace(lead, place_candidates=tuple(map(str, judged.candidates)), remarks=(*remarks, told))
