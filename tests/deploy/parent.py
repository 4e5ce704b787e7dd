"""A process that owns a stack and waits to be killed: `python -m tests.deploy.parent FOLDER`.

It prints one line of JSON when all is up. The stack is started from a worker thread that ends before the stack does,
as `asyncio.to_thread` would do it.
"""

import json
import sys
import threading
import time
from pathlib import Path

from deploy.local import Stack
from deploy.supervisor import Supervisor


def main(folder: Path) -> None:
    """Never returns."""
    stack = Stack(folder)
    starter = threading.Thread(target=stack.start)
    starter.start()
    starter.join()
    supervisor = Supervisor(folder / "logs", say=print)
    supervisor.start("sleeper", [sys.executable, "-c", "import time; time.sleep(3600)"])
    pids = [*stack.broker_pids, stack.postgres.pid, supervisor.pid("sleeper")]
    print(json.dumps({"pids": pids, "postgres": stack.postgres_dsn, "kafka": stack.kafka_bootstrap}), flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
