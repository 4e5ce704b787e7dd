"""The intake as a FastAPI tutorial would write it: one model, one INSERT, one answer.

Started as `python -m benchmarks.peers.tutorial_intake DSN PORT`.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Contact(BaseModel):
    name: str
    phone: str
    email: str | None = None


class Location(BaseModel):
    lat: float
    lon: float
    datum: str


class Lead(BaseModel):
    intent: str
    contact: Contact
    location: Location
    consent: dict[str, Any]
    channel: str = "form"


def make_app(dsn: str) -> FastAPI:
    """The app; its pool lives as long as it does."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(dsn, min_size=8, max_size=8) as pool:
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/leads", status_code=202)
    async def submit(lead: Lead) -> dict[str, str]:
        lead_id = uuid4()
        await app.state.pool.execute(
            "INSERT INTO peer_intake (lead_id, lead) VALUES ($1, $2)", lead_id, lead.model_dump_json()
        )
        return {"lead_id": str(lead_id), "status": "accepted"}

    return app


if __name__ == "__main__":
    uvicorn.run(make_app(sys.argv[1]), port=int(sys.argv[2]), log_level="error", access_log=False)
