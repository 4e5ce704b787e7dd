"""Settings come from the environment first, then from a running local stack."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.errors import UserError
from shared.settings import Settings


def local_stack(folder: Path, pid: int) -> None:
    stack = {"kafka": "127.0.0.1:9", "postgres": "postgresql://local", "pid": pid}
    (folder / "stack.json").write_text(json.dumps(stack))
    (folder / "services.json").write_text(json.dumps({"intake_url": "http://127.0.0.1:8", "pid": pid}))


def test_a_running_local_stack_is_found_by_its_folder(tmp_path: Path) -> None:
    local_stack(tmp_path, os.getpid())

    settings = Settings(data_folder=tmp_path)

    assert settings.require_kafka() == "127.0.0.1:9"
    assert settings.require_postgres() == "postgresql://local"
    assert settings.intake_url == "http://127.0.0.1:8"


def test_addresses_of_a_stack_that_died_are_not_used(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    local_stack(tmp_path, ended.pid)

    assert Settings(data_folder=tmp_path).kafka == ""


def test_the_environment_wins_over_the_local_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local_stack(tmp_path, os.getpid())
    monkeypatch.setenv("WAYPOST_KAFKA", "kafka.internal:9092")

    assert Settings(data_folder=tmp_path).kafka == "kafka.internal:9092"


def test_without_any_address_the_person_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no Kafka address") as refusal:
        Settings(data_folder=tmp_path).require_kafka()

    assert "waypost up" in refusal.value.hint


def test_a_setting_that_cannot_be_is_named_by_its_variable_and_never_by_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYPOST_HEALTH_PORT", "s3cret")
    monkeypatch.setenv("WAYPOST_LOG_FORMAT", "s3cret")

    with pytest.raises(UserError) as refusal:
        Settings(data_folder=tmp_path)

    said = refusal.value.message
    assert "WAYPOST_HEALTH_PORT: " in said
    assert "WAYPOST_LOG_FORMAT: must be one of json, console" in said
    assert "s3cret" not in said + refusal.value.hint


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "Expecting property name"),
        ("", "Expecting value"),
        ("[]", "it names no process"),
        ("null", "it names no process"),
        ('{"kafka": "127.0.0.1:1"}', "it names no process"),
    ],
)
def test_a_damaged_address_file_is_named(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "stack.json").write_text(text)

    with pytest.raises(UserError, match=rf"stack\.json is damaged: {what}"):
        Settings(data_folder=tmp_path)


def test_the_password_does_not_show() -> None:
    assert "hunter2" not in repr(Settings(postgres=SecretStr("postgresql://u:hunter2@h/d")))
