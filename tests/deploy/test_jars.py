"""Only the pinned jars ever reach the class path."""

import shutil
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.kafka.archive import make_archive
from deploy.kafka.jars import Jar, damaged, fetch, kafka_version, read_lock
from deploy.kafka.java import kafka_java
from deploy.local import CACHE
from shared.errors import UserError


def silent(_step: str, _done: int, _total: int) -> None:
    pass


def all_but_one_present(folder: Path) -> list[Jar]:
    """Two jars of the lock, of which the small one is not in the folder."""
    kafka, missing = (one for one in read_lock() if one.artifact in ("kafka_2.13", "slf4j-simple"))
    shutil.copy(fetch([kafka], CACHE / "jars", silent)[0], folder)
    return [kafka, missing]


def test_every_jar_is_pinned_and_kafka_is_of_one_version() -> None:
    jars = read_lock()

    assert all(len(jar.sha256) == 64 for jar in jars)
    assert kafka_version(jars).startswith("4.4.")
    assert {jar.version for jar in jars if jar.group == "org.apache.kafka"} == {kafka_version(jars)}
    assert len({jar.file_name for jar in jars}) == len(jars)


def test_a_lock_without_a_checksum_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "jgo.lock.toml"
    lock.write_text('[[dependencies]]\ngroupId = "org.example"\nartifactId = "trusted"\nversion = "1"\n')

    with pytest.raises(UserError, match="pins trusted without a sha256"):
        read_lock(lock)


def test_a_jar_that_is_not_the_pinned_one_is_refused_and_not_kept(tmp_path: Path) -> None:
    genuine = next(jar for jar in read_lock() if jar.artifact == "slf4j-simple")
    forged = replace(genuine, sha256="0" * 64)
    kafka = next(jar for jar in read_lock() if jar.artifact == "kafka_2.13")
    shutil.copy(fetch([kafka], CACHE / "jars", silent)[0], tmp_path)

    with pytest.raises(UserError, match=r"slf4j-simple:.* is not the jar that jgo.lock.toml pins"):
        fetch([kafka, forged], tmp_path, silent)

    assert [file for file in tmp_path.rglob("slf4j-simple*.jar") if file.is_file()] == []


def test_only_what_is_missing_is_fetched_and_each_step_is_shown(tmp_path: Path) -> None:
    jars = all_but_one_present(tmp_path)
    steps: list[tuple[int, int]] = []

    fetch(jars, tmp_path, lambda _step, done, total: steps.append((done, total)))
    fetch(jars, tmp_path, lambda _step, _done, _total: pytest.fail("nothing was missing"))

    assert steps == [(1, 2), (2, 2)]
    assert damaged(jars, tmp_path) == []


def test_a_name_that_does_not_resolve_at_once_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jars = all_but_one_present(tmp_path)
    resolve, asked = socket.getaddrinfo, []

    def resolve_later(host: str, *further: Any, **named: Any) -> Any:
        asked.append(host)
        if len(asked) < 3:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve(host, *further, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_later)
    monkeypatch.setattr("deploy.kafka.jars.PAUSES_S", (0, 0))

    fetch(jars, tmp_path, silent)

    assert len(asked) >= 3
    assert damaged(jars, tmp_path) == []


def test_without_a_network_the_jar_and_what_to_do_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve_never(*_: Any, **_named: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    jars = all_but_one_present(tmp_path)
    monkeypatch.setattr(socket, "getaddrinfo", resolve_never)
    monkeypatch.setattr("deploy.kafka.jars.PAUSES_S", (0, 0))

    with pytest.raises(UserError, match=r"cannot fetch slf4j-simple\S+ of Apache Kafka") as told:
        fetch(jars, tmp_path, silent)
    assert "WAYPOST_KAFKA" in told.value.hint


@pytest.mark.faults
def test_the_start_up_archive_is_made_once_for_these_jars(tmp_path: Path) -> None:
    shutil.copytree(CACHE / "jars", tmp_path / "jars")
    (tmp_path / "kafka-of-earlier-jars.aot").touch()
    java = kafka_java(tmp_path, silent)

    make_archive(java, silent)
    make_archive(java, lambda _step, _done, _total: pytest.fail("it is there already"))

    assert list(tmp_path.glob("*.aot")) == [java.archive]
    assert f"-XX:AOTCache={java.archive}" in java.broker(tmp_path / "server.properties", heap_mb=512).argv


def test_a_file_changed_in_the_cache_is_found(tmp_path: Path) -> None:
    jars = [jar for jar in read_lock() if jar.artifact == "slf4j-simple"]
    shutil.copy(fetch(jars, CACHE / "jars", silent)[0], tmp_path)
    with (tmp_path / jars[0].file_name).open("ab") as file:
        file.write(b"\0")

    assert damaged(jars, tmp_path) == jars
