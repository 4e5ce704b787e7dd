"""The CloudEvents envelope around every fact, the topic as a typed pair of reading and writing, and derived ids.

CloudEvents 1.0, structured JSON mode (https://github.com/cloudevents/spec, v1.0.2); `traceparent` is its
distributed-tracing extension.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

CLOUDEVENTS_CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"

DataT = TypeVar("DataT")


class Fact(BaseModel, Generic[DataT]):
    """A CloudEvents 1.0 envelope around one fact; `time` is when it happened by the server's clock."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    type: str
    subject: str
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: str | None = None
    data: DataT

    def to_bytes(self) -> bytes:
        """The record value: absent attributes are left out, as CloudEvents requires."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=True)


@dataclass(frozen=True)
class Topic(Generic[DataT]):
    """A topic, the fact that it carries, and how Kafka keeps it."""

    name: str
    type: str
    """CloudEvents type of every record; its last part is the version."""
    envelope: TypeAdapter[Fact[DataT]]
    key: str
    """What the record key is; all records of one key are in one partition, in order."""
    partitions: int = 12
    """Up to as many processes of one service share the work; changing it later moves keys."""
    retention_days: int | None = 400
    """400 days cover a yearly audit; None keeps records for ever."""
    cleanup: Literal["delete", "compact"] = "delete"

    @property
    def dead(self) -> str:
        """Name of this topic's dead-letter topic."""
        return f"{self.name}.dead"

    def read(self, raw: bytes) -> Fact[DataT]:
        """The fact in a record value. Unknown fields are dropped: an older reader survives a newer writer.

        Raises ValueError when the bytes are no such fact (pydantic's error, or an unknown type or version).
        """
        fact = self.envelope.validate_json(raw, extra="ignore")
        if fact.type != self.type:
            raise ValueError(f"the record's type is not {self.type}")
        return fact

    def fact(
        self,
        data: DataT,
        *,
        id: UUID,  # noqa: A002 - CloudEvents' own name
        source: str,
        subject: str,
        time: datetime,
        traceparent: str | None = None,
    ) -> Fact[DataT]:
        """Wrap `data` for this topic; `source` is a service name, `subject` the id of what the fact is about."""
        return Fact[DataT](
            id=id,
            source=f"/waypost/{source}",
            type=self.type,
            subject=subject,
            time=time,
            traceparent=traceparent,
            data=data,
        )


NAMESPACE = UUID("6f0d3c1e-6c5b-5f0e-9f43-776179706f73")
"""Root of every derived id (`uuid5`). Changing it would give redelivered facts new ids."""


def derived_id(*cause: object) -> UUID:
    """The id of what `cause` brings about: the same cause always gives the same id, so redelivery repeats a fact."""
    return uuid5(NAMESPACE, ":".join(str(part) for part in cause))
