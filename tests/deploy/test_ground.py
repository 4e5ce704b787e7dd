"""What the stack looks at before it starts anything: ports, the disk, what an earlier run left behind."""

import socket
import sys
from pathlib import Path

import pytest

from deploy.disk import require_space
from deploy.leftovers import Leftovers
from deploy.local import Stack, read_stack
from deploy.ports import HIGHEST, LOWEST, choose_ports, is_free
from deploy.process import Child, Command
from deploy.stack_file import StackAddresses, hold_folder, write_stack
from shared.errors import UserError


def test_ports_stay_the_same_until_somebody_takes_one(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = choose_ports(file, ["broker", "controller"])
    assert choose_ports(file, ["broker", "controller"]) == first

    with socket.create_server(("127.0.0.1", first["broker"])):
        second = choose_ports(file, ["broker", "controller"])

    assert second["broker"] != first["broker"]
    assert second["controller"] == first["controller"]
    assert all(LOWEST <= port <= HIGHEST for port in second.values())


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not is_free(listener.getsockname()[1])


def test_too_little_room_is_said_in_figures(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"only \d+\.\d\d GB are free on the disk of .*; the stack needs 1000000"):
        require_space(tmp_path, needed_bytes=10**15)


def test_a_child_that_met_a_full_disk_is_reported_as_a_full_disk(tmp_path: Path) -> None:
    child = Child("kafka", tmp_path / "kafka.log", Leftovers(tmp_path / "children.json"))
    child.start(Command([sys.executable, "-c", "import os, sys; sys.exit(os.strerror(28))"]))
    assert child.wait(timeout_s=10)

    error = child.failure("starting")

    assert error.message == "the disk is full: kafka ended while starting"
    assert "free some space" in error.hint


def test_a_child_that_dies_is_reported_with_its_last_words_of_this_start_only(tmp_path: Path) -> None:
    child = Child("kafka", tmp_path / "kafka.log", Leftovers(tmp_path / "children.json"))
    for words in ("first", "second"):
        child.start(Command([sys.executable, "-c", f"import sys; sys.exit('the {words} reason')"]))
        assert child.wait(timeout_s=10)

    error = child.failure("starting")

    assert "kafka failed while starting (exit status 1)" in error.message
    assert "the second reason" in error.message
    assert "the first reason" not in error.message
    assert str(tmp_path / "kafka.log") in error.hint


ADDRESSES = StackAddresses("127.0.0.1:1", "postgresql://", pid=1, brokers=1, cluster_id="x", started_at=1.7e9)


def test_a_stack_file_whose_process_id_is_now_somebody_else_means_no_stack(tmp_path: Path) -> None:
    write_stack(tmp_path, ADDRESSES)
    assert read_stack(tmp_path) is None

    with hold_folder(tmp_path):
        assert read_stack(tmp_path) == ADDRESSES

    assert read_stack(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", "{}", '{"kafka": "127.0.0.1:1"}'])
def test_a_damaged_stack_file_means_no_stack(tmp_path: Path, content: str) -> None:
    (tmp_path / "stack.json").write_text(content)

    assert read_stack(tmp_path) is None


def test_two_brokers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="2 brokers are not possible"):
        Stack(tmp_path, brokers=2)
