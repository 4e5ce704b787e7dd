"""Which files are sent: by their suffix in any case, each once; and whatever is not sent is named."""

import os
from pathlib import Path

import pytest

from services.lead_intake.lead_files import collect, content_type_of
from services.lead_intake.send import rows_of
from shared.errors import UserError


def named(folder: Path, *paths: Path) -> tuple[list[str], dict[str, bool]]:
    """Names of what is sent, and of what is left out with whether it may hold leads."""
    found = collect(paths or [folder])
    return [file.name for file in found.files], {left.path.name: left.may_hold_leads for left in found.left_out}


@pytest.mark.parametrize("suffix", [".json", ".JSON", ".Json", ".ndjson", ".NDJSON", ".xml", ".XML", ".adf", ".ADF"])
def test_a_suffix_counts_in_any_case(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"Leads{suffix}").write_text("x")
    assert named(tmp_path) == ([f"Leads{suffix}"], {})
    assert content_type_of(tmp_path / f"a{suffix}") == content_type_of(tmp_path / f"a{suffix.lower()}")


def test_whatever_is_not_sent_is_named_and_what_may_hold_leads_is_told_apart(tmp_path: Path) -> None:
    for name, content in {
        "a.json": "{}",
        "b.adf.bak": "<adf/>",
        "c.txt": "\ufeff  [1]",
        "d.md": "# About",
        "e.json": "",
        ".f.json": "{}",
        ".DS_Store": "\x00",
        "g": "{}",
    }.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "h.XML").write_text("<adf/>")
    (tmp_path / "docs").mkdir()
    (tmp_path / "gone.json").symlink_to("nowhere.json")
    os.mkfifo(tmp_path / "pipe.json")

    assert named(tmp_path) == (
        ["a.json"],
        {
            "b.adf.bak": True,
            "c.txt": True,
            "d.md": False,
            "e.json": True,
            ".f.json": True,
            ".DS_Store": False,
            "g": True,
            "below": True,
            "docs": False,
            "gone.json": True,
            "pipe.json": False,
        },
    )


def test_a_link_is_what_it_leads_to_and_nothing_is_sent_twice(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.JSON").symlink_to("a.json")
    assert named(tmp_path, tmp_path, tmp_path / "a.json", tmp_path) == (["a.json"], {})


@pytest.mark.parametrize(
    ("name", "words"), [("none.json", "does not exist"), ("notes.txt", "no lead file"), ("pipe.json", "is no file")]
)
def test_a_file_that_is_given_by_name_is_sent_or_refused(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "notes.txt").write_text("{}")
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(UserError, match=words):
        collect([tmp_path / name])


def test_an_answer_of_somebody_else_is_told(tmp_path: Path) -> None:
    [row] = rows_of("a.json", 502, "text/html", b"<html>Bad Gateway</html>")
    assert (row.status, row.accepted) == (502, False)
    assert "a proxy between" in row.remarks
