"""What every value of a contract has in common."""

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """A frozen value that refuses unknown fields when it is built by us."""

    model_config = ConfigDict(frozen=True, extra="forbid")
