"""`python -m deploy.kafka fetch | lock`: get the pinned jars and prepare the quick start; or pin them anew."""

import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.kafka.archive import make_archive
from deploy.kafka.jars import LOCK_FILE, damaged, read_lock
from deploy.kafka.java import kafka_java
from deploy.local import CACHE
from shared.errors import UserError


def main(arguments: list[str]) -> int:
    """Exit status: 0 done, 1 could not, 2 not understood."""
    if arguments not in (["fetch"], ["lock"]):
        print(__doc__, file=sys.stderr)
        return 2
    command = {"fetch": fetch_all, "lock": lock}[arguments[0]]
    try:
        command()
    except UserError as error:
        print(f"{error.message}\n{error.hint}", file=sys.stderr)
        return 1
    return 0


def fetch_all() -> None:
    """Jars into the cache, every one checked again, and the start-up archive; quick when they are there."""
    jars = read_lock()
    for jar in damaged(jars, CACHE / "jars"):
        (CACHE / "jars" / jar.file_name).unlink(missing_ok=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(highlight=False)) as bars:
        tasks = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done)

        make_archive(kafka_java(CACHE, show), show)


def lock() -> None:
    """Resolve `jgo.toml` and write `jgo.lock.toml`."""
    from jgo.env import EnvironmentSpec, LockFile
    from jgo.maven import MavenContext

    spec = EnvironmentSpec.load(LOCK_FILE.with_name("jgo.toml"))
    with tempfile.TemporaryDirectory(prefix="waypost-lock-") as repository:
        context = MavenContext(repo_cache=Path(repository))
        wanted = [context.create_dependency(coordinate) for coordinate in spec.coordinates]
        named, needed = context.resolver.resolve(wanted)
        at_run_time = [dependency for dependency in needed if dependency.scope in ("compile", "runtime")]
        LockFile.from_resolved_dependencies([*named, *at_run_time], environment_name=spec.name).save(LOCK_FILE)
    print(f"{LOCK_FILE}: {len(read_lock())} jars")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
