"""One broker (and controller) of the local cluster: its settings, its data folder, its process."""

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka.java import HEAP_MB_OF_SEVERAL, HEAP_MB_SINGLE, KafkaJava
from deploy.ports import LOOPBACK
from deploy.process import Child
from shared.errors import UserError

FORMAT_WITHIN_S = 60.0
STOP_WITHIN_S = 8.0
"""A broker of several that stops last cannot hand its partitions over any more and would try for minutes."""


@dataclass(frozen=True)
class Node:
    """Addresses of one broker. `number` counts from 1."""

    number: int
    port: int
    controller_port: int


def server_properties(node: Node, cluster: list[Node], data: Path) -> str:
    """Settings of a broker, the production ones wherever a single machine does not ask for another."""
    several = len(cluster) >= 3
    replicas = 3 if several else 1
    voters = ",".join(f"{other.number}@{LOOPBACK}:{other.controller_port}" for other in cluster)
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": node.number,
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{node.port},CONTROLLER://{LOOPBACK}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{node.port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        # Topics are created from the contracts, never by a typing error.
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": 2 if several else 1,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": 2 if several else 1,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": 2 if several else 1,
        # Fifty partitions of offsets are for hundreds of groups; here they would only lengthen the first start.
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.num.partitions": 8,
        # The default of 3 s waits for more members of a new group; here it would only delay the first record.
        "group.initial.rebalance.delay.ms": 50,
        # Two cores: fewer threads than the defaults of 3 and 8.
        "num.network.threads": 2,
        "num.io.threads": 4,
        # The default takes a quarter of the heap for compaction.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    }
    if not several:
        # A lone broker that was killed is let in again only when its former session has ended: 9 s by default.
        settings |= {"broker.session.timeout.ms": 4_000, "broker.heartbeat.interval.ms": 500}
    return "".join(f"{key}={value}\n" for key, value in settings.items())


class Broker:
    """A broker process with the data folder `<folder>/broker-N`. Every method blocks."""

    def __init__(self, node: Node, cluster: list[Node], folder: Path, child: Child, java: KafkaJava) -> None:
        self.node = node
        self.child = child
        self._cluster = cluster
        self._data = folder / f"broker-{node.number}"
        self._properties = folder / f"broker-{node.number}.properties"
        self._java = java

    @property
    def address(self) -> str:
        """Where clients connect, `host:port`."""
        return f"{LOOPBACK}:{self.node.port}"

    def begin_format(self, cluster_id: str) -> bool:
        """Write its settings; start formatting when it has no data yet. Whether `end_format` has to follow."""
        data = self._data
        formatted = (data / "meta.properties").exists()
        if not formatted:  # never begun, or cut short
            shutil.rmtree(data, ignore_errors=True)
            data = self._draft
            shutil.rmtree(data, ignore_errors=True)
        self._write_properties(data)
        if not formatted:
            self.child.start(self._java.format(self._properties, cluster_id))
        return not formatted

    def end_format(self) -> None:
        """Wait for the format begun before; only a whole one gets the final name."""
        if not self.child.wait(FORMAT_WITHIN_S) or self.child.exit_status != 0:
            error = self.child.failure("preparing its data folder")
            self.child.kill()
            raise error
        self._draft.replace(self._data)
        self._write_properties(self._data)

    def start(self) -> None:
        """Start its process; returns before it serves."""
        if not self.child.running:
            heap_mb = HEAP_MB_SINGLE if len(self._cluster) == 1 else HEAP_MB_OF_SEVERAL
            self.child.start(self._java.broker(self._properties, heap_mb))

    def ask_to_stop(self) -> None:
        """Ask for a controlled shutdown; returns at once."""
        self.child.send(signal.SIGTERM)

    def stop(self) -> None:
        """Controlled shutdown, killed when that takes too long."""
        self.child.stop(signal.SIGTERM, STOP_WITHIN_S)

    def kill(self) -> None:
        """Kill -9."""
        self.child.kill()

    def require_running(self) -> None:
        """Raise UserError with its last words when its process has ended."""
        if not self.child.running:
            raise self.child.failure("starting")

    @property
    def port_was_taken(self) -> bool:
        """Whether it ended because somebody else listens on one of its ports."""
        return not self.child.running and "Address already in use" in self.child.output()

    @property
    def _draft(self) -> Path:
        return self._data.with_name(self._data.name + ".new")

    def _write_properties(self, data: Path) -> None:
        if any(character in str(data) for character in "\\\n,"):
            raise UserError(f"Kafka cannot keep data in a folder of that name: {data}", "choose another data folder")
        self._properties.write_text(server_properties(self.node, self._cluster, data))
