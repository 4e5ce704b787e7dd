"""Text files as people save them: UTF-8 with or without a mark; whatever else it is, the refusal names it."""

from pathlib import Path

import pytest

from shared.errors import UserError
from shared.text_files import read_text_file, text_lines

TEXT = "site_id,name\r\none,湖滨\r\n"


def read_both(path: Path, largest: int = 1 << 20) -> list[str]:
    """The refusals of both readers."""
    refusals = []
    with pytest.raises(UserError) as refused:
        read_text_file(path, largest)
    refusals.append(refused.value.message)
    with pytest.raises(UserError) as refused, text_lines(path, largest) as lines:
        list(lines)
    return [*refusals, refused.value.message]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_is_read_with_its_mark_or_without(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes(TEXT.encode(encoding))
    assert read_text_file(file, 1_000) == TEXT
    with text_lines(file, 1_000) as lines:
        assert list(lines) == TEXT.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (TEXT.encode("utf-16"), "is UTF-16 (Windows calls it 'Unicode') and not UTF-8"),
        ("\ufeff".encode("utf-16-be") + TEXT.encode("utf-16-be"), "is UTF-16"),
        (TEXT.encode("utf-16-le"), "looks like UTF-16"),
        (TEXT.encode("utf-16-be"), "looks like UTF-16"),
        (TEXT.encode("utf-32"), "is UTF-32"),
        (TEXT.encode("gbk"), "is not UTF-8: byte 18, in line 2; it looks like GBK (GB 18030)"),
        (TEXT.encode("gb18030"), "it looks like GBK (GB 18030)"),
        ("name\nCafé\n".encode("latin-1"), "is not UTF-8: byte 8, in line 2"),
        (b"PK\x03\x04 and so on", "is a workbook or an archive (zip) and no text"),
        (b"\x1f\x8b\x08", "is compressed (gzip) and no text"),
        (b"site_id,name\none,a\0b\n", "holds a NUL character"),
    ],
)
def test_what_is_no_utf8_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes(content)
    for refusal in read_both(file):
        assert says in refusal
    assert ("GBK" in says) or "GBK" not in read_both(file)[0]


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    with file.open("wb") as opened:
        opened.truncate(3 << 20)
    assert all("has 3 MiB; 2 MiB are the most" in refusal for refusal in read_both(file, 2 << 20))


def test_a_file_that_is_not_there_or_a_folder_says_so(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.csv", tmp_path):
        assert all("cannot be read" in refusal for refusal in read_both(path))
