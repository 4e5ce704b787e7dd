"""Operators with keys, on the router's world, with a clock that tests set."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from services.router import operators
from services.router.changes.approving import Approved, Word, approve, withdraw
from services.router.changes.change import Change, Kind
from services.router.changes.proposing import Submitted, Wanted, submit
from services.router.db import changes as db
from services.router.sites import Site, canonical_rows
from shared.postgres import transact
from tests.services.router.networks import DEFAULT_POLICY
from tests.services.router.world import World, in_minutes

SIX = DEFAULT_POLICY.replace("candidates = 5", "candidates = 6")
SEVEN = DEFAULT_POLICY.replace("candidates = 5", "candidates = 7")


@dataclass
class People:
    """What operators do, each with a key of this name's."""

    world: World
    keys: dict[str, str]

    async def ask(
        self,
        kind: Kind,
        content: str,
        *,
        by: str = "",
        minute: float = 1,
        at: datetime | None = None,
        even_if_changed: bool = False,
        yes_remove: int | None = None,
    ) -> Submitted:
        """Somebody asks for a change at this minute."""
        key = self.keys[by] if by else ""
        wanted = Wanted(kind, content, key, at, even_if_changed, yes_remove=yes_remove)
        return await transact(self.world.pool, lambda connection: submit(connection, wanted, in_minutes(minute)))

    async def add(self, name: str, *, by: str = "", minute: float = 0) -> Submitted:
        """Somebody adds an operator, who has made a key."""
        self.keys[name] = operators.new_key()
        content = orjson.dumps({"operator": name, "key": operators.fingerprint_of(self.keys[name])}).decode()
        return await self.ask(Kind.OPERATOR, content, by=by, minute=minute)

    async def approve(
        self,
        number: int,
        *,
        by: str = "",
        minute: float = 2,
        at: datetime | None = None,
        even_if_changed: bool = False,
        yes_remove: int | None = None,
    ) -> Approved:
        """Somebody approves a change at this minute."""
        word = Word(number, self.keys[by] if by else "", at, even_if_changed, yes_remove)
        return await transact(self.world.pool, lambda connection: approve(connection, word, in_minutes(minute)))

    async def withdraw(self, number: int, *, by: str = "", minute: float = 2) -> Change:
        """Somebody withdraws a change at this minute."""
        word = Word(number, self.keys[by] if by else "")
        return await transact(self.world.pool, lambda connection: withdraw(connection, word, in_minutes(minute)))

    async def disable(self, name: str, *, by: str, minute: float = 2) -> None:
        """Somebody has an operator's key taken no more."""
        await transact(
            self.world.pool,
            lambda connection: operators.disable(connection, name, self.keys[by], in_minutes(minute)),
        )

    async def one(self, number: int) -> Change:
        """A change as it is kept."""
        found = await transact(self.world.pool, lambda connection: db.one(connection, number))
        assert found is not None
        return found

    async def two_person(self) -> bool:
        """Whether two people are needed."""
        return await transact(self.world.pool, db.two_person)


def rows(*sites: Site) -> str:
    """The content of a change of the network."""
    return canonical_rows(sites).decode()


async def two_people(world: World, *sites: Site) -> People:
    """Ann and Ben, operators of a network that two people change: changes 1 to 3 made it so."""
    people = People(world, {})
    await world.set_up(*sites)
    await people.add("ann")
    await people.add("ben", by="ann")
    await people.ask(Kind.TWO_PERSON, "on", by="ann", minute=0)
    return people
