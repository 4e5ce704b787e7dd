"""A Kafka cluster of one or three brokers on the loopback address, with its data in one folder."""

import base64
import json
import socket
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from aiokafka.errors import KafkaError

from deploy.kafka.broker import Broker, Node
from deploy.kafka.java import KafkaJava
from deploy.kafka.probe import describe, run_apart, wait_for_coordinator
from deploy.ports import LOOPBACK, choose_ports
from deploy.process import Child
from shared.errors import UserError
from shared.words import counted

READY_WITHIN_S = 90.0
PORT_TRIES = 3


class KafkaCluster:
    """Boots, stops, kills and restarts the brokers. Every method blocks; data and ports stay the same.

    `child(name)` makes the process holder of a broker. Raises UserError when the folder holds a cluster of another
    size.
    """

    def __init__(self, folder: Path, size: int, child: Callable[[str], Child], java: KafkaJava) -> None:
        self.cluster_id = _cluster_id(folder, size)
        self.brokers: list[Broker] = []
        self._folder = folder
        self._java = java
        self._children = [child("kafka" if size == 1 else f"kafka-{number}") for number in range(1, size + 1)]

    @property
    def bootstrap(self) -> str:
        """Bootstrap servers, all brokers."""
        return ",".join(broker.address for broker in self.brokers)

    @property
    def pids(self) -> list[int]:
        """Process ids of the brokers, 0 for one that does not run."""
        return [broker.child.pid for broker in self.brokers]

    def boot(self) -> None:
        """First start: choose ports, prepare empty data folders, start, and wait until consumer groups work."""
        for tries_left in reversed(range(PORT_TRIES)):
            self._lay_out()
            try:
                self.start()
            except UserError:
                # Somebody took a port between our look at it and the broker's: other ports, and once more.
                if not tries_left or not any(broker.port_was_taken for broker in self.brokers):
                    raise
                self.kill()
                (self._folder / "ports.json").unlink()
            else:
                break
        run_apart(wait_for_coordinator(self.bootstrap))

    def start(self) -> None:
        """Start the brokers that do not run and wait until all of them serve our cluster. Raises UserError if not."""
        for broker in self.brokers:
            broker.start()
        self._wait_until_ready()

    def stop(self) -> None:
        """Controlled shutdown of all brokers, asked of all at once."""
        for broker in self.brokers:
            broker.ask_to_stop()
        for broker in self.brokers:
            broker.stop()

    def kill(self, number: int | None = None) -> None:
        """Kill -9 broker `number` (counted from 1), or all of them."""
        for broker in self.brokers:
            if number in (None, broker.node.number):
                broker.kill()

    def _lay_out(self) -> None:
        numbers = range(1, len(self._children) + 1)
        names = [name for number in numbers for name in (f"broker-{number}", f"controller-{number}")]
        ports = choose_ports(self._folder / "ports.json", names)
        nodes = [Node(number, ports[f"broker-{number}"], ports[f"controller-{number}"]) for number in numbers]
        self.brokers = [
            Broker(node, nodes, self._folder, child, self._java)
            for node, child in zip(nodes, self._children, strict=True)
        ]
        formatting = [broker for broker in self.brokers if broker.begin_format(self.cluster_id)]
        for broker in formatting:
            broker.end_format()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        waiting = list(self.brokers)
        while waiting:
            for broker in self.brokers:
                broker.require_running()
            waiting = [broker for broker in waiting if not self._serves(broker)]
            if waiting and time.monotonic() > deadline:
                raise waiting[0].child.failure(f"starting (not ready after {READY_WITHIN_S:.0f} s)")
            time.sleep(0.05 if waiting else 0)

    def _serves(self, broker: Broker) -> bool:
        if not _accepts(broker.node.port):
            return False
        try:
            view = run_apart(describe(broker.address))
        except (KafkaError, OSError):
            return False
        if view.cluster_id != self.cluster_id:
            # Never talk to a broker that only happens to listen on our port.
            broker.child.wait(timeout_s=5)
            raise UserError(
                f"{broker.address} is answered by another Kafka (cluster {view.cluster_id})",
                "stop that one or start again: other ports will be chosen",
            )
        return view.broker_ids == {other.node.number for other in self.brokers}


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _cluster_id(folder: Path, size: int) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "cluster.json"
    if file.exists():
        recorded = json.loads(file.read_text())
        if recorded["brokers"] != size:
            raise UserError(
                f"{folder.parent} holds a Kafka of {counted(recorded['brokers'], 'broker')}, not {size}",
                "start it with the same number, choose another data folder, or delete this one to begin anew",
            )
        return str(recorded["cluster_id"])
    # Kafka's own form of a random id: a UUID in URL-safe base64 without padding; one that begins with '-' would be
    # taken for an option.
    identity = "-"
    while identity.startswith("-"):
        identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps({"cluster_id": identity, "brokers": size}))
    draft.replace(file)
    return identity
