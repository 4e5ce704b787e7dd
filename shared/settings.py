"""Settings that every service shares, read once by the command and passed down.

Order of precedence: arguments, `WAYPOST_*` environment variables, then the addresses that a running local stack
left in its data folder (`stack.json`, `services.json`), then the defaults below.
"""

import json
import os
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import UserError
from shared.faults_in_words import in_words

_HOST_AND_PORT = re.compile(r"(?:\[[0-9a-fA-F:.%\w]+\]|[^\s:/\[\]]+):\d{1,5}")


class Settings(BaseSettings):
    """Where things are. Secrets never show in `repr` or logs."""

    model_config = SettingsConfigDict(env_prefix="WAYPOST_", frozen=True, extra="ignore")

    data_folder: Path = Path(".waypost")
    """Folder of the local stack: data, logs, addresses and the key file."""
    kafka: str = ""
    """Bootstrap servers, `host:port[,host:port]`."""
    postgres: SecretStr = SecretStr("")
    """DSN; its user must be allowed to `SET ROLE waypost_<service>`."""
    topic_prefix: str = ""
    """Put before every topic and group name, so that several installations can share one cluster."""
    keys: Path | None = None
    """Key file (sealing, pepper, service secrets); default `<data_folder>/keys.json`."""
    intake_url: str = ""
    notifier_url: str = ""
    health_host: str = "127.0.0.1"
    health_port: int = Field(default=0, ge=0, le=65535)
    """Port of /healthz and /metrics; 0 takes a free one and logs it."""
    http_connections: int = Field(default=4096, ge=8, le=100_000)
    """Connections that each port takes at once, within half of the files that the process may open."""
    http_head_timeout_s: float = Field(default=10.0, gt=0, le=60)
    """How long the header of a request may take to arrive."""
    http_body_timeout_s: float = Field(default=30.0, gt=0, le=600)
    """How long the body may take after it, whatever reads it."""
    http_idle_timeout_s: float = Field(default=75.0, gt=0, le=3600)
    """How long a connection may wait for its next request; longer than a proxy in front keeps it."""
    health_urls: str = ""
    """Where each process listens for health, for `waypost doctor`: `router=http://10.0.0.5:9100,...`."""
    hold_dead_letters: bool = True
    """Facts of our own that cannot be read are held back beyond 1 %, as after a bad deploy; false buries all of them at
    once, when it is known that a producer was wrong."""
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: str = ""
    """OTLP/HTTP traces endpoint; empty exports no spans (trace context is carried all the same)."""

    def __init__(self, **values: Any) -> None:
        """Raises UserError for a setting that cannot be, which names its variable."""
        try:
            super().__init__(**values)
        except ValidationError as problem:
            raise _told(problem) from None

    @model_validator(mode="before")
    @classmethod
    def _take_addresses_of_the_local_stack(cls, values: Any) -> Any:
        folder = Path(values.get("data_folder") or ".waypost")
        for name in ("stack.json", "services.json"):
            for key, value in read_addresses(folder / name).items():
                if key in cls.model_fields and not values.get(key):
                    values[key] = value
        return values

    @property
    def key_file(self) -> Path:
        """Path of the key file."""
        return self.keys or self.data_folder / "keys.json"

    def require_kafka(self) -> str:
        """Bootstrap servers; raises UserError when nobody said where Kafka is."""
        if not self.kafka:
            raise UserError("no Kafka address", "run `waypost up` in this folder, or set WAYPOST_KAFKA=host:port")
        if not all(_HOST_AND_PORT.fullmatch(address.strip()) for address in self.kafka.split(",")):
            raise UserError("WAYPOST_KAFKA is no list of addresses", "it looks like host:port,host:port")
        return self.kafka

    def require_postgres(self) -> str:
        """The DSN; raises UserError when nobody said where PostgreSQL is."""
        if not self.postgres.get_secret_value():
            raise UserError("no PostgreSQL address", "run `waypost up` in this folder, or set WAYPOST_POSTGRES=DSN")
        return self.postgres.get_secret_value()


def _told(problem: ValidationError) -> UserError:
    """One fault for each variable. Values are left out: any of them may be a secret."""
    faults = []
    for error in problem.errors(include_url=False, include_input=False):
        name = "_".join(str(part) for part in error["loc"]).upper()
        variable = name if name.startswith("WAYPOST_") else f"WAYPOST_{name}"
        faults.append(f"{variable}: {in_words(error)}")
    return UserError("; ".join(faults), "correct the environment")


def read_addresses(file: Path) -> dict[str, Any]:
    """Addresses that a local stack wrote; empty when it does not run (any more).

    Raises UserError when the file is damaged.
    """
    try:
        text = file.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UserError(f"{file} cannot be read: {why}", "is WAYPOST_DATA_FOLDER right?") from error
    try:
        addresses = json.loads(text)
        pid = int(addresses["pid"])
    except (ValueError, KeyError, TypeError) as error:
        what = error.msg if isinstance(error, json.JSONDecodeError) else "it names no process"
        raise UserError(f"{file} is damaged: {what}", "stop the local stack and delete the file") from error
    if not _runs(pid):
        return {}
    return {key: value for key, value in addresses.items() if isinstance(value, str | list)}


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    except OverflowError:
        return False
    return True
