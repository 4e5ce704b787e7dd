"""Only the pinned jars ever reach the class path."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.kafka.archive import make_archive
from deploy.kafka.jars import damaged, fetch, kafka_version, read_lock
from deploy.kafka.java import kafka_java
from deploy.local import CACHE
from shared.errors import UserError


def silent(_step: str, _done: int, _total: int) -> None:
    pass


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
    jars = [jar for jar in read_lock() if jar.artifact in ("kafka_2.13", "slf4j-simple")]
    present = fetch([jar for jar in jars if jar.artifact == "kafka_2.13"], CACHE / "jars", silent)
    shutil.copy(present[0], tmp_path)
    steps: list[tuple[int, int]] = []

    fetch(jars, tmp_path, lambda _step, done, total: steps.append((done, total)))
    fetch(jars, tmp_path, lambda _step, _done, _total: pytest.fail("nothing was missing"))

    assert steps == [(1, 2), (2, 2)]
    assert damaged(jars, tmp_path) == []


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
