"""Posting lead files to an intake, as a partner's script would."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from yarl import URL

from services.lead_intake.lead_files import content_type_of
from shared.errors import UserError

NDJSON = "application/x-ndjson"
TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one lead of a file."""

    file: str
    number: int
    status: int
    lead_id: str
    remarks: str

    @property
    def accepted(self) -> bool:
        """Whether the intake holds it now."""
        return self.status == 202


async def post_files(base_url: str, key: str, files: Sequence[Path]) -> AsyncIterator[Sent]:
    """Post each file and yield a row per lead. Raises UserError when the intake cannot be reached."""
    address = _leads_of(base_url)
    if not (key.isascii() and key.isprintable()):
        raise UserError("the key holds characters that no key has", "copy it again from `waypost source add`")
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout, headers={"authorization": f"Bearer {key}"}) as session:
        for file in files:
            try:
                body = file.read_bytes()
            except OSError as error:
                yield Sent(file.name, 1, 0, "", f"not sent: it cannot be read: {error.strerror}")
                continue
            headers = {"content-type": content_type_of(file) or "application/octet-stream"}
            try:
                async with session.post(address, data=body, headers=headers) as response:
                    answered = await response.read()
                    rows = rows_of(file.name, response.status, response.content_type, answered)
            except (aiohttp.ClientError, TimeoutError) as error:
                raise UserError(
                    f"the intake at {base_url} does not answer ({type(error).__name__})", "is `waypost up` running?"
                ) from None
            for row in rows:
                yield row


def _leads_of(base_url: str) -> URL:
    try:
        address = URL(base_url.rstrip("/"))
    except ValueError:
        address = URL()
    if address.scheme not in ("http", "https") or not address.host:
        raise UserError("the address of the intake is no URL", "it looks like http://host:port")
    return address / "v1" / "leads"


def rows_of(file: str, status: int, content_type: str, body: bytes) -> list[Sent]:
    """The leads that one answer of the intake speaks of."""
    try:
        answers = [orjson.loads(line) for line in (body.splitlines() if content_type == NDJSON else [body])]
    except orjson.JSONDecodeError:
        return [Sent(file, 1, status, "", "the answer is no intake's: is the address right, or a proxy between?")]
    if content_type == NDJSON:
        return [_row(file, answer) for answer in answers]
    [answer] = answers
    if "results" in answer:
        return [_row(file, result) for result in answer["results"]]
    return [_row(file, {"lead": 1, "status_code": status, **({"problem": answer} if status != 202 else answer)})]


def _row(file: str, answer: dict[str, Any]) -> Sent:
    number = next((answer[counted] for counted in ("line", "prospect", "lead") if counted in answer), 1)
    problem = answer.get("problem", {})
    texts = [problem.get("detail") or problem.get("title", "")] if problem and "errors" not in problem else []
    found = [*problem.get("errors", ()), *answer.get("warnings", ())]
    texts += [f"{error['pointer'].removeprefix('#')} {error['detail']}".lstrip() for error in found]
    return Sent(file, number, answer.get("status_code", 0), answer.get("lead_id", ""), "; ".join(filter(None, texts)))
