"""The real Kafka and PostgreSQL of the suite: one embedded stack per session, a database and a topic prefix per module.

Everything here is synchronous, so sync and async tests use it alike.
"""

import itertools
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import hypothesis
import pytest
import structlog

from deploy.kafka.probe import run_apart
from deploy.local import Stack

_numbers = itertools.count(1)

# How long an example takes says something about the machine only: what is slow shows in `make bench`.
hypothesis.settings.register_profile("waypost", deadline=None)
hypothesis.settings.load_profile("waypost")


# The longest files, longest first: a worker that begins one of them last would keep the others waiting for it.
LONGEST = (
    "tests/faults/test_outages.py",
    "tests/faults/test_poison.py",
    "tests/faults/test_kills.py",
    "tests/faults/test_records.py",
    "tests/test_readme.py",
    "tests/faults/test_capacity.py",
    "tests/services/lead_intake/test_faults.py",
    "tests/services/store_notifier/test_outages.py",
    "tests/deploy/test_faults.py",
    "tests/e2e/test_unclear_place.py",
    "tests/e2e/test_lead_journey.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files. Whatever order the rest is in, it keeps."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.split("::")[0], len(LONGEST)))


@pytest.fixture(scope="module", autouse=True)
def _logging_of_the_module() -> Iterator[None]:
    """A service that a module's fixture runs in this process logs as it was told to; the next module does not."""
    with _logging_kept():
        yield


@pytest.fixture(autouse=True)
def _logging_of_the_test(_logging_of_the_module: None) -> Iterator[None]:
    """The same for a service that a test runs."""
    with _logging_kept():
        yield


@contextmanager
def _logging_kept() -> Iterator[None]:
    """Put back what `configure_logging` sets for a whole process."""
    configured, root = structlog.get_config(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    bound = structlog.contextvars.get_contextvars()
    yield
    structlog.configure(**configured)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**bound)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The session's stack in a temporary folder, jars from the checkout's cache. Leave it running as you found it."""
    with Stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="session")
def kafka_bootstrap(stack: Stack) -> str:
    """Bootstrap servers of the session's Kafka."""
    return stack.kafka_bootstrap


@pytest.fixture(scope="module")
def postgres_dsn(stack: Stack) -> Iterator[str]:
    """DSN (superuser) of an empty database of this test module; dropped afterwards, with whoever is connected."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    run_apart(_execute(stack.postgres.dsn_of("postgres"), f'CREATE DATABASE "{name}"'))
    yield stack.postgres.dsn_of(name)
    run_apart(_execute(stack.postgres.dsn_of("postgres"), f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="module")
def topic_prefix() -> str:
    """Setting `topic_prefix` that keeps this module's topics and groups apart from all others."""
    return f"t{os.getpid()}-{next(_numbers)}."


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=30)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
