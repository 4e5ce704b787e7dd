"""Whatever pydantic finds is told in words: no name of a class, and nothing of what was given."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from services.router.settings import RouterSettings
from services.store_notifier.settings import NotifierSettings
from shared.errors import UserError
from shared.faults_in_words import in_words


class Colour(StrEnum):
    """A list of ours."""

    RED = "red"
    BLUE = "blue"


class Red(BaseModel):
    """One kind of answer."""

    colour: Literal[Colour.RED]


class Blue(BaseModel):
    """Another."""

    colour: Literal[Colour.BLUE]


class Everything(BaseModel):
    """A field of every kind."""

    model_config = ConfigDict(extra="forbid")

    colour: Colour = Colour.RED
    literal: Literal[Colour.RED, Colour.BLUE] = Colour.RED
    tagged: Annotated[Red | Blue, Field(discriminator="colour")] | None = None
    number: int = Field(default=1, ge=1, le=5)
    share: float = Field(default=0.5, gt=0, lt=1, allow_inf_nan=False)
    flag: bool = False
    text: str = Field(default="aa", min_length=2, max_length=3, pattern="^a")
    many: list[int] = Field(default=[1], min_length=1, max_length=2)
    at: datetime | None = None
    aware: AwareDatetime | None = None
    who: UUID | None = None
    said: str = ""

    @field_validator("said")
    @classmethod
    def _refuse(cls, value: str) -> str:
        if value:
            raise ValueError("says too much")
        return value


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"colour": "SECRET"}, "must be one of red, blue"),
        ({"literal": "SECRET"}, "must be one of red, blue"),
        ({"tagged": {"colour": "SECRET"}}, "must be one of red, blue"),
        ({"tagged": {}}, "must have colour"),
        ({"number": "SECRET"}, "must be a whole number"),
        ({"number": 0}, "must be at least 1"),
        ({"number": 9}, "must be at most 5"),
        ({"share": 0}, "must be more than 0"),
        ({"share": 1}, "must be less than 1"),
        ({"share": float("nan")}, "must be a number that is not infinite"),
        ({"flag": "SECRET"}, "must be true or false"),
        ({"text": 5}, "must be a text"),
        ({"text": "a"}, "is shorter than 2 characters"),
        ({"text": "aaaa"}, "is longer than 3 characters"),
        ({"text": "SE"}, "is not written as such a value is"),
        ({"many": []}, "has fewer than 1 entry"),
        ({"many": [1, 2, 3]}, "has more than 2 entries"),
        ({"many": "SECRET"}, "must be a list"),
        ({"at": "SECRET"}, "must be a time, such as 2026-03-01T09:00:00+08:00"),
        ({"aware": "2026-03-01T09:00:00"}, "needs an offset from UTC, such as +08:00"),
        ({"who": "SECRET"}, "must be a UUID"),
        ({"said": "SECRET"}, "says too much"),
        ({"SECRET": 1}, "is not known here"),
        ("SECRET", "must be an object"),
    ],
)
def test_each_kind_of_fault_has_its_words(given: Any, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(Everything).validate_python(given)
    [fault] = refused.value.errors(include_input=False, include_url=False)
    assert in_words(fault) == words


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda: RouterSettings(travel_api="x"), "WAYPOST_TRAVEL_API: must be one of osrm, valhalla"),
        (lambda: RouterSettings(router_max_batch="many"), "WAYPOST_ROUTER_MAX_BATCH: must be a whole number"),
        (lambda: NotifierSettings(notifier_zone="Moon"), "WAYPOST_NOTIFIER_ZONE: must be a time zone"),
    ],
)
def test_a_setting_is_refused_in_words(read: Callable[[], object], words: str) -> None:
    with pytest.raises(UserError) as refused:
        read()
    assert refused.value.message.startswith(words)
