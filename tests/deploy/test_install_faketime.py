"""Installing libfaketime: nothing to do, or a clear word about what is missing."""

import shutil
import subprocess
from pathlib import Path

from tests.faults.wrong_clock import find_faketime

SCRIPT = Path(__file__).parents[2] / "deploy" / "install_faketime.sh"


def run(looks_in: str = "/usr", path: str | None = None) -> "subprocess.CompletedProcess[str]":
    shell = shutil.which("sh")
    assert shell is not None
    environment = None if path is None else {"PATH": path}
    return subprocess.run(
        [shell, str(SCRIPT), looks_in], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def program(folder: Path, name: str, says: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)


def test_where_it_is_installed_it_does_nothing() -> None:
    run()
    again = run()

    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert Path(find_faketime()).exists()


def test_a_machine_without_apt_is_told_what_is_missing(tmp_path: Path) -> None:
    done = run(str(tmp_path), str(tmp_path))

    assert done.returncode == 1
    assert "missing: libfaketime" in done.stderr
    assert "no apt-get" in done.stderr


def test_who_is_not_root_is_told_what_to_type(tmp_path: Path) -> None:
    program(tmp_path, "apt-get", "must not be called")
    program(tmp_path, "id", "1000")

    done = run(str(tmp_path), str(tmp_path))

    assert done.returncode == 1
    assert "sudo sh deploy/install_faketime.sh" in done.stderr
    assert "must not be called" not in done.stdout + done.stderr
