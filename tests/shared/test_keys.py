"""The key file is created once, readable by its owner only, and never shown."""

import os
from pathlib import Path

import pytest

from shared.errors import UserError
from shared.keys import create_keys, load_keys


def test_a_new_key_file_opens_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "keys.json"

    created = create_keys(path, os.urandom)

    assert load_keys(path) == created
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(created.contact_keys[created.active_contact_key]) == 32


def test_an_existing_key_file_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    create_keys(path, os.urandom)
    before = path.read_bytes()

    with pytest.raises(UserError, match="exists already"):
        create_keys(path, os.urandom)

    assert path.read_bytes() == before


def test_no_key_shows_in_text(tmp_path: Path) -> None:
    keys = create_keys(tmp_path / "keys.json", os.urandom)

    assert repr(keys) == str(keys) == "Keys(active_contact_key='k1')"


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    create_keys(path, os.urandom)
    path.chmod(0o644)

    with pytest.raises(UserError, match="can be read by other users") as refusal:
        load_keys(path)

    assert refusal.value.hint == f"run: chmod 600 {path}"


def test_a_missing_key_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no key file") as refusal:
        load_keys(tmp_path / "keys.json")

    assert "waypost keys init" in refusal.value.hint


@pytest.mark.parametrize("text", ["", "{}", '{"pepper": "secret-text"}', "[]"])
def test_a_damaged_key_file_is_named_without_its_content(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(UserError, match="is not a key file") as refusal:
        load_keys(path)

    assert "secret-text" not in refusal.value.message


def test_an_editors_mark_makes_no_other_key_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    created = create_keys(path, os.urandom)

    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig")

    assert load_keys(path) == created
