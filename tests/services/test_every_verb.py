"""Whatever a person can type, a verb ends with a sentence and a status: never with a traceback, never without end.

The verbs are found by walking the command. Nothing runs here: neither PostgreSQL nor Kafka can be reached.
"""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from services.cli import OUR_FAULT
from shared.keys import create_keys
from shared.migrate import migrate
from tests.verbs import arguments_of, options_of, walk
from tests.waypost_command import Ran, run_waypost

NOWHERE = {"WAYPOST_POSTGRES": "postgresql://nobody@127.0.0.1:1/none", "WAYPOST_KAFKA": "127.0.0.1:1"}
STARTING = {"up", "demo"}
"""Verbs that would start a stack of their own; their arguments are tried, and nothing else."""
WRONG = [
    "",
    " ",
    "x" * 100_000,
    "\udcff",
    "ü\n\x1b[2J",
    "-1",
    "9" * 40,
    "1e400",
    "nan",
    "0",
    "null",
    "../../etc",
    "a'b\"c",
]
WORST = ["\udcff", "9" * 18, "9" * 40, "x" * 5_000, "a\x01b"]
"""What gets as far as PostgreSQL."""
VERBS = [(words, command) for words, command in walk() if words[0] not in STARTING]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a key file, and addresses where nobody listens."""
    monkeypatch.chdir(tmp_path)
    for name, value in {**NOWHERE, "WAYPOST_DATA_FOLDER": str(tmp_path), "WAYPOST_SOURCE_KEY": "k"}.items():
        monkeypatch.setenv(name, value)
    create_keys(tmp_path / "keys.json", lambda count: b"7" * count)
    (tmp_path / "a_folder").mkdir()
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 10)
    for name in ("binary.toml", "binary.json", "binary.geojson", "binary.ndjson"):
        (tmp_path / name).write_bytes(bytes(range(255, -1, -1)) * 10)
    (tmp_path / "empty.csv").touch()
    (tmp_path / "dangling.csv").symlink_to("nothing.csv")
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    return tmp_path


FILES = [
    "no_such.csv", "a_folder", "binary.csv", "binary.toml", "binary.json", "binary.geojson", "binary.ndjson",
    "empty.csv", "dangling.csv", "loop.csv", "/dev/null", "/proc/self/mem", "a_folder/x.csv", "empty.csv/x.csv",
]  # fmt: skip


def good(parameter: Any) -> str:
    """A value that this argument or option may have, as far as its name says."""
    values = {
        "service": "router", "files": "empty.json", "lead_id": "019a0000-0000-7000-8000-000000000000",
        "site_id": "a-site", "intent": "test_drive", "lat": "31", "lon": "120", "datum": "wgs84", "file": "good.csv",
        "endpoint_id": "019a0000-0000-4000-8000-000000000000", "number": "1", "name": "ann", "leads": "leads.csv",
        "result": "sold", "key": "k",
    }  # fmt: skip
    return values.get(parameter.name, "1")


def required(command: Any) -> list[str]:
    """The least that the verb can be called with."""
    words = []
    for option in options_of(command):
        if option.required:
            words += [option.opts[0], good(option)]
    return words + [good(argument) for argument in arguments_of(command) if argument.required]


def told(ran: Ran, words: tuple[str, ...], *, may_succeed: bool = False) -> None:
    """It ended as a command should: a status, and one line to standard error when that is not 0."""
    shown = (words, ran.exit_code, ran.output[-2000:])
    assert ran.exit_code != OUR_FAULT, shown
    assert "Traceback" not in ran.output, shown
    assert len(ran.stderr) < 5_000, shown
    if ran.exit_code or not may_succeed:
        assert ran.exit_code, shown
        if words[0] != "doctor":
            assert ran.stderr.startswith("waypost: "), shown
            assert ran.stderr.count("\n") == 1 or "refused" in ran.stderr or "not valid" in ran.stderr, shown


ONE_OF_EACH = {
    "audit count", "endpoint add", "endpoint list", "explain", "lead", "migrate", "network show", "operator list",
    "order retry", "privacy reseal", "queue", "send", "source list", "topics check",
}  # fmt: skip
"""Verbs that between them read every setting."""


@pytest.mark.parametrize(("words", "command"), VERBS, ids=[" ".join(words) for words, _ in VERBS])
def test_wrong_values_are_told(words: tuple[str, ...], command: Any) -> None:
    for spoiled in _spoiled(words, command):
        if words == ("run",) and spoiled[-1] in ("router", "lead_intake", "store_notifier", "audit"):
            continue
        told(run_waypost(*spoiled), spoiled, may_succeed=words[0] in ("operator", "contracts", "doctor", "keys"))


def _spoiled(
    words: tuple[str, ...], command: Any, wrong: Sequence[str] = WRONG, files: Sequence[str] = FILES
) -> Iterator[tuple[str, ...]]:
    arguments, options = arguments_of(command), options_of(command)
    if any(parameter.required for parameter in (*arguments, *options)):
        yield words
    yield (*words, *required(command), "one", "argument", "too", "many", "--")
    yield (*words, "--no-such-option")
    for position in range(len(arguments)):
        for value in (*wrong, *files):
            given = [good(each) for each in arguments[:position]]
            rest = [good(each) for each in arguments[position + 1 :] if each.required]
            needed = [word for option in options if option.required for word in (option.opts[0], good(option))]
            yield (*words, *needed, "--", *given, value, *rest)
    for option in options:
        if option.is_flag:
            continue
        takes_file = "file" in option.name or option.name in ("leads", "policy")
        for value in (*wrong, *files) if takes_file else wrong:
            yield (*words, *required(command), f"{option.opts[0]}={value}")


async def test_wrong_values_are_told_by_what_they_reach(
    postgres_dsn: str, kafka_bootstrap: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(postgres_dsn)
    for name, value in {"POSTGRES": postgres_dsn, "KAFKA": kafka_bootstrap, "TOPIC_PREFIX": topic_prefix}.items():
        monkeypatch.setenv(f"WAYPOST_{name}", value)
    for words, command in VERBS:
        if words[0] in ("run", "doctor", "contracts", "keys") or words == ("topics", "apply"):
            continue
        for spoiled in _spoiled(words, command, WORST, ()):
            told(await asyncio.to_thread(run_waypost, *spoiled), spoiled, may_succeed=True)


@pytest.mark.parametrize(("words", "command"), VERBS, ids=[" ".join(words) for words, _ in VERBS])
def test_a_stopped_stack_is_told_soon(words: tuple[str, ...], command: Any, folder: Path) -> None:
    if words == ("run",):
        return
    (folder / "empty.json").write_text("{}")
    began = time.monotonic()
    ran = run_waypost(*words, *required(command), *(["--url", "http://127.0.0.1:1"] if words == ("send",) else []))
    assert time.monotonic() - began < 60
    told(ran, words, may_succeed=words in (("operator", "key"), ("contracts", "write")))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEYS", "no/such/keys.json"), ("KEYS", "a_folder"), ("KEYS", "binary.csv"), ("KEYS", ""),
        ("DATA_FOLDER", "empty.csv"), ("DATA_FOLDER", "/proc/self/mem"), ("DATA_FOLDER", "x" * 5000),
        ("POSTGRES", "garbage"), ("POSTGRES", "postgresql://[::1"), ("POSTGRES", "postgresql://h:port/x"),
        ("POSTGRES", ""), ("KAFKA", "garb::age"), ("KAFKA", "host"), ("KAFKA", "a:1,,b:2"), ("KAFKA", ""),
        ("HEALTH_PORT", "many"), ("LOG_FORMAT", "poem"), ("LOG_LEVEL", "loud"), ("TOPIC_PREFIX", "ü\n"),
        ("INTAKE_URL", "nonsense"), ("INTAKE_URL", "http://"), ("NOTIFIER_ALLOW_NETWORKS", "[1"),
        ("NOTIFIER_PORT", "-1"), ("ROUTER_MAX_BATCH", "0"), ("TRAVEL_URL", "ftp://x"), ("OPERATOR_KEY", "\udcff"),
        ("INTAKE_PHONE_REGION", "Atlantis"), ("SOURCE_KEY", "a\nb: c"), ("SOURCE_KEY", "ключ"),
    ],
)  # fmt: skip
def test_wrong_settings_are_told(name: str, value: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "empty.json").write_text("{}")
    monkeypatch.setenv(f"WAYPOST_{name}", value)
    for words, command in VERBS:
        if " ".join(words) not in ONE_OF_EACH:
            continue
        told(run_waypost(*words, *required(command)), words, may_succeed=words == ("operator", "key"))


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"pepper": "x"}', "\x00", '{"contact_keys": {"a": "?"}}'])
def test_a_broken_key_file_is_told(content: str, folder: Path) -> None:
    (folder / "keys.json").write_text(content)
    told(run_waypost("privacy", "erase", "--phone", "+86 174 0000 0001"), ("privacy", "erase"))
    told(run_waypost("privacy", "reseal"), ("privacy", "reseal"))


@pytest.mark.parametrize("name", ["stack.json", "services.json"])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"pid": "x"}', b'{"pid": 99999999999999999999}', b"\xff", None]
)
def test_a_broken_address_file_is_told(name: str, content: bytes | None, folder: Path) -> None:
    file = folder / name
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    told(run_waypost("queue"), ("queue",))


def test_the_version_is_said() -> None:
    ran = run_waypost("--version")
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert ran.stdout.startswith("waypost ")


def test_every_help_is_whole_in_a_narrow_terminal() -> None:
    for words, command in walk():
        ran = run_waypost(*words, "--help", env={"COLUMNS": "40", "TERM": "xterm"})
        assert (ran.exit_code, ran.stderr) == (0, "")
        for option in options_of(command):
            assert all(name in ran.stdout for name in option.opts), words


ROOT = Path(__file__).parents[2]
SHELL = f"{sys.executable} -m services.cli"


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        (f"{SHELL} contracts check > /dev/full", 1, "disk is full"),
        (f"{SHELL} operator key > /dev/full", 1, "disk is full"),
        (f"{SHELL} --help > /dev/full", 1, "disk is full"),
        (f"{SHELL} --version > /dev/full", 1, "disk is full"),
        (f"{SHELL} queue 2> /dev/full", 1, ""),
        (f"{SHELL} --version >&-", 0, ""),
        (f"{SHELL} queue 2>&-", 1, ""),
        (f"({SHELL} --help; echo status $? >&2) | true", 0, "status 141"),
        (f"({SHELL} operator key; echo status $? >&2) | true", 0, "status 141"),
        (f"{SHELL} --help | head -1 > /dev/null", 0, ""),
        (f"timeout --preserve-status -s INT 4 {SHELL} run router", 0, ""),
    ],
)
def test_an_output_that_ends_early_ends_the_command_quietly(line: str, status: int, words: str) -> None:
    ran = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
    assert words in ran.stderr
    if "run router" not in line:
        assert ran.returncode == status, ran.stderr
        assert ran.stderr.count("\n") <= 1, ran.stderr


def test_every_verb_says_that_the_disk_of_its_output_is_full() -> None:
    def fill(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        with Path("/dev/full").open("w") as full:
            command = [sys.executable, "-m", "services.cli", *words, "--help"]
            return subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    with ThreadPoolExecutor(3) as some_at_once:
        verbs = [words for words, _ in walk()]
        for words, ran in zip(verbs, some_at_once.map(fill, verbs), strict=True):
            # Of the audit 1 says that something is not clean.
            status = 2 if words[0] in ("audit", "lead") else 1
            assert (ran.returncode, ran.stderr.count("\n")) == (status, 1), (words, ran.stderr)
            assert "disk is full" in ran.stderr, words


@pytest.mark.parametrize(
    "words", [("queue",), ("audit", "verify"), ("topics", "check"), ("send", "empty.json"), ("endpoint", "list")]
)
def test_ctrl_c_ends_a_command_that_waits(
    words: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "empty.json").write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("WAYPOST_POSTGRES", f"postgresql://nobody@{address}/none")
        monkeypatch.setenv("WAYPOST_KAFKA", address)
        monkeypatch.setenv("WAYPOST_INTAKE_URL", f"http://{address}")
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        command = [sys.executable, "-m", "services.cli", *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            silent.settimeout(60)
            connection, _ = silent.accept()  # now it waits for an answer
            with connection:
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["explain", "purchse", "--lat", "31", "--lon", "120", "--datum", "wgs84"], "did you mean purchase?"),
        (["explain", "purchase", "--lat", "31", "--lon", "120", "--datum", "WGS-84"], "did you mean wgs84?"),
        (["endpoint", "attempts", "some-store"], "this is no id: one has 36 characters, 8-4-4-4-12"),
    ],
)
def test_a_wrong_argument_is_told_in_words_for_people(arguments: list[str], says: str) -> None:
    ran = run_waypost(*arguments)
    assert ran.exit_code == 2
    assert says in ran.stderr
    assert "Value error" not in ran.stderr
    assert "Input should" not in ran.stderr
