"""The start-up archive: classes of Kafka loaded and linked once, so that every later boot takes half the time.

The JVM writes it when a broker that it watched has stopped (JEP 514). Without it everything works, only slower;
one made for other jars or another JVM is never used, because both are in its name.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from signal import SIGTERM

from deploy.kafka.cluster import KafkaCluster
from deploy.kafka.jars import Progress
from deploy.kafka.java import KafkaJava
from deploy.leftovers import Leftovers
from deploy.process import Child

WRITTEN_WITHIN_S = 300.0


def make_archive(java: KafkaJava, progress: Progress) -> None:
    """Boot a throw-away broker once and keep what the JVM learnt from it; does nothing when the archive is there."""
    if java.archive.exists():
        return
    what = "Preparing Kafka's quick start"
    progress(what, 0, 2)
    with tempfile.TemporaryDirectory(prefix="waypost-archive-", dir=java.archive.parent) as folder:
        draft = Path(folder) / "kafka.aot"
        leftovers = Leftovers(Path(folder) / "children.json")
        children: list[Child] = []

        def child(name: str) -> Child:
            children.append(Child(name, Path(folder) / f"{name}.log", leftovers))
            return children[-1]

        cluster = KafkaCluster(Path(folder), 1, child, replace(java, record=draft))
        try:
            cluster.boot()
            progress(what, 1, 2)
            children[0].stop(SIGTERM, WRITTEN_WITHIN_S)
        finally:
            cluster.kill()
        if not draft.exists():
            raise children[0].failure("writing its start-up archive")
        for outdated in java.archive.parent.glob("kafka-*.aot"):
            outdated.unlink()
        draft.replace(java.archive)
    progress(what, 2, 2)
