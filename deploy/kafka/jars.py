"""Kafka's jars: pinned in `jgo.lock.toml`, fetched once by jgo's Maven client, verified here when they come."""

import hashlib
import tempfile
import time
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from shared.errors import UserError

LOCK_FILE = Path(__file__).with_name("jgo.lock.toml")
DOWNLOADS_AT_ONCE = 8
PAUSES_S = (1.0, 4.0)
"""Before the second and the third try: a name that did not resolve or a connection that was cut ends no set-up."""

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, steps done, steps in all), from any thread."""


@dataclass(frozen=True)
class Jar:
    """One pinned jar, by its Maven coordinates."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Name of the file in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def read_lock(file: Path = LOCK_FILE) -> list[Jar]:
    """The pinned jars, in class path order. Raises UserError when one has no sha256."""
    jars = []
    for entry in tomllib.loads(file.read_text())["dependencies"]:
        if not entry.get("sha256"):
            raise UserError(f"{file} pins {entry['artifactId']} without a sha256", "run `python -m deploy.kafka lock`")
        jars.append(Jar(entry["groupId"], entry["artifactId"], entry["version"], entry["sha256"]))
    return jars


def kafka_version(jars: list[Jar]) -> str:
    """Version of the broker among these jars."""
    return next(jar.version for jar in jars if jar.artifact == "kafka_2.13")


def fetch(jars: list[Jar], folder: Path, progress: Progress) -> list[Path]:
    """Paths of all jars in `folder`, downloading what is missing; every new one is verified before it gets its name.

    A file that is there under its final name was verified when it came. Raises UserError when a jar cannot be had or
    is not the pinned one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [jar for jar in jars if not (folder / jar.file_name).exists()]
    if missing:
        what = f"Fetching Apache Kafka {kafka_version(jars)}"
        present = len(jars) - len(missing)
        progress(what, present, len(jars))
        # A folder of its own: what a download that was cut short left behind is never taken for a jar, and two
        # fetches at once do not meet.
        with (
            tempfile.TemporaryDirectory(prefix="incoming-", dir=folder) as incoming,
            ThreadPoolExecutor(DOWNLOADS_AT_ONCE, thread_name_prefix="jars") as pool,
        ):
            downloads = [pool.submit(_download, jar, Path(incoming), folder) for jar in missing]
            try:
                for done, download in enumerate(as_completed(downloads), start=present + 1):
                    download.result()
                    progress(what, done, len(jars))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    return [folder / jar.file_name for jar in jars]


def damaged(jars: list[Jar], folder: Path) -> list[Jar]:
    """The jars whose file is not the pinned one (or not there); reads every file."""
    return [jar for jar in jars if not _is_pinned(jar, folder / jar.file_name)]


def _download(jar: Jar, incoming: Path, folder: Path) -> None:
    # Imported here: jgo brings requests along, and only the first start needs it.
    from jgo.maven import MavenContext
    from requests import RequestException

    artifact = MavenContext(repo_cache=incoming, timeout=60).project(jar.group, jar.artifact).at_version(jar.version)
    pauses_s = iter(PAUSES_S)
    while True:
        try:
            file = Path(artifact.artifact().resolve())
            break
        except (RequestException, RuntimeError, OSError) as error:
            pause_s = next(pauses_s, None)
            if pause_s is None:
                raise UserError(
                    f"cannot fetch {jar.file_name} of Apache Kafka: {error}",
                    "check the connection to Maven Central, or point WAYPOST_KAFKA at a broker of your own",
                ) from error
            time.sleep(pause_s)
    if not _is_pinned(jar, file):
        raise UserError(
            f"{jar.group}:{jar.artifact}:{jar.version} is not the jar that {LOCK_FILE.name} pins (sha256 differs)",
            "try again; when it stays so, the jar was replaced on its way or at its source: do not use it",
        )
    file.replace(folder / jar.file_name)


def _is_pinned(jar: Jar, file: Path) -> bool:
    if not file.exists():
        return False
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256
