"""Installing the browser: nothing to do, or a clear word about what is missing."""

import shutil
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "deploy" / "install_chromium.sh"


def run(path: str | None = None) -> "subprocess.CompletedProcess[str]":
    shell = shutil.which("sh")
    assert shell is not None
    environment = None if path is None else {"PATH": path}
    return subprocess.run(
        [shell, str(SCRIPT)], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def program(folder: Path, name: str, says: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)


def test_where_everything_is_installed_it_does_nothing() -> None:
    run()
    again = run()

    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_a_machine_without_apt_is_told_what_is_missing(tmp_path: Path) -> None:
    done = run(str(tmp_path))

    assert done.returncode == 1
    assert "chromium chromium-driver fontconfig" in done.stderr
    assert "no apt-get" in done.stderr


def test_who_is_not_root_is_told_what_to_type(tmp_path: Path) -> None:
    program(tmp_path, "apt-get", "must not be called")
    program(tmp_path, "id", "1000")
    program(tmp_path, "chromium", "")

    done = run(str(tmp_path))

    assert done.returncode == 1
    assert "missing: chromium-driver" in done.stderr
    assert "sudo sh deploy/install_chromium.sh" in done.stderr
    assert "must not be called" not in done.stdout + done.stderr
