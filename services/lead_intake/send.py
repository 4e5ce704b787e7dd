"""Posting lead files to an intake, as a partner's script would."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from shared.errors import UserError

CONTENT_TYPES = {
    ".json": "application/json",
    ".ndjson": "application/x-ndjson",
    ".xml": "application/x-adf+xml",
    ".adf": "application/x-adf+xml",
}
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


def collect(paths: Sequence[Path]) -> list[Path]:
    """The lead files among paths and folders, in order. Raises UserError for a path that is none."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(file for file in path.iterdir() if file.suffix in CONTENT_TYPES)
        elif not path.is_file():
            raise UserError(f"{path} does not exist")
        elif path.suffix not in CONTENT_TYPES:
            raise UserError(f"{path} is no lead file", f"its name must end in {', '.join(CONTENT_TYPES)}")
        else:
            files.append(path)
    if not files:
        raise UserError("there is no lead file in the folders given", f"names must end in {', '.join(CONTENT_TYPES)}")
    return files


async def post_files(base_url: str, key: str, files: Sequence[Path]) -> list[Sent]:
    """Post each file and return one row per lead. Raises UserError when the intake cannot be reached."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout, headers={"authorization": f"Bearer {key}"}) as session:
        sent: list[Sent] = []
        for file in files:
            try:
                async with session.post(
                    f"{base_url.rstrip('/')}/v1/leads",
                    data=file.read_bytes(),
                    headers={"content-type": CONTENT_TYPES[file.suffix]},
                ) as response:
                    body = await response.read()
                    sent += rows_of(file.name, response.status, response.content_type, body)
            except (aiohttp.ClientError, TimeoutError) as error:
                raise UserError(
                    f"the intake at {base_url} does not answer ({type(error).__name__})", "is `waypost up` running?"
                ) from None
        return sent


def rows_of(file: str, status: int, content_type: str, body: bytes) -> list[Sent]:
    """The leads that one answer of the intake speaks of."""
    if content_type == "application/x-ndjson":
        return [_row(file, answer) for answer in map(orjson.loads, body.splitlines())]
    answer = orjson.loads(body)
    if "results" in answer:
        return [_row(file, result) for result in answer["results"]]
    return [_row(file, {"lead": 1, "status_code": status, **({"problem": answer} if status != 202 else answer)})]


def _row(file: str, answer: dict[str, Any]) -> Sent:
    number = next(answer[counted] for counted in ("line", "prospect", "lead") if counted in answer)
    problem = answer.get("problem", {})
    texts = [problem.get("detail") or problem.get("title", "")] if problem and "errors" not in problem else []
    found = [*problem.get("errors", ()), *answer.get("warnings", ())]
    texts += [f"{error['pointer'].removeprefix('#')} {error['detail']}".lstrip() for error in found]
    return Sent(file, number, answer["status_code"], answer.get("lead_id", ""), "\n".join(filter(None, texts)))
