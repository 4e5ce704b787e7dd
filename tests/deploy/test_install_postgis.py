"""Installing the peer of the bench: nothing to do, or a clear word about what is missing."""

import shutil
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "deploy" / "install_postgis.sh"


def run(looks_in: Path, path: Path) -> "subprocess.CompletedProcess[str]":
    shell = shutil.which("sh")
    assert shell is not None
    return subprocess.run(
        [shell, str(SCRIPT), str(looks_in)],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def program(folder: Path, name: str, says: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)


def test_where_postgis_is_installed_it_does_nothing(tmp_path: Path) -> None:
    program(tmp_path, "apt-get", "must not be called")
    control = tmp_path / "share" / "postgresql" / "15" / "extension" / "postgis.control"
    control.parent.mkdir(parents=True)
    control.touch()

    done = run(tmp_path, tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_machine_without_apt_is_told_to_use_its_own_package_manager(tmp_path: Path) -> None:
    done = run(tmp_path, tmp_path)

    assert done.returncode == 1
    assert "no apt-get" in done.stderr


def test_who_is_not_root_is_told_what_to_type(tmp_path: Path) -> None:
    program(tmp_path, "apt-get", "must not be called")
    program(tmp_path, "id", "1000")

    done = run(tmp_path, tmp_path)

    assert done.returncode == 1
    assert "sudo sh deploy/install_postgis.sh" in done.stderr
    assert "must not be called" not in done.stdout + done.stderr
