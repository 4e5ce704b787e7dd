"""Every file is read in the charset it is in, whatever it says; what was done for that is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.sources.charsets import decode
from services.lead_intake.sources.reading import Unreadable


def file(name: str, encoding: str, declared: str = "") -> bytes:
    said = f' encoding="{declared}"' if declared else ""
    return f'<?xml version="1.0"{said}?><adf>{name}</adf>'.encode(encoding)


@pytest.mark.parametrize(
    ("encoding", "declared", "transport", "name", "told"),
    [
        ("utf-8", "", "", "测试", ""),
        ("utf-8", "utf-8", "UTF-8", "测试", ""),
        ("utf-8", "gbk", "", "测试", "read as UTF-8"),
        ("utf-8", "", "undefined", "测试", ""),
        ("ascii", "gbk", "iso-8859-1", "Test", ""),
        ("utf-8-sig", "iso-8859-1", "", "测试", "another charset than its byte order mark"),
        ("utf-8-sig", "utf-8", "", "测试", ""),
        ("utf-16", "utf-16", "", "测试", ""),
        ("utf-16", "utf-8", "", "测试", "another charset than its byte order mark"),
        ("utf-16-le", "", "", "测试", "read as UTF-16"),
        ("utf-16-be", "utf-16", "", "测试", "read as UTF-16"),
        ("utf-32", "", "", "测试", ""),
        ("gbk", "gbk", "", "测试喆", ""),
        ("gbk", "GB2312", "", "测试喆", ""),
        ("gbk", "", "gb_2312-80", "测试喆", ""),
        ("gbk", "", "", "测试", "says no charset; it was read as GB 18030"),
        ("gbk", "", "", "测试喆", "says no charset; it was read as GB 18030"),
        ("gbk", "", "", "测喆", "says no charset; it was read as GB 18030"),
        ("gbk", "utf-8", "", "测试", "not in the charset that it declares; it was read as GB 18030"),
        ("gbk", "", "undefined", "测试", "not known; it was read as GB 18030"),
        ("gbk", "", "base64", "测试", "not known; it was read as GB 18030"),
        ("gbk", "", "unicode_escape", "测试", "not known; it was read as GB 18030"),
        ("gbk", "gbk", "iso-8859-1", "测试", "declares two charsets; it was read as GB 18030"),
        ("gbk", "iso-8859-1", "iso-8859-1", "测试", "read as GB 18030"),
        ("gb18030", "gb18030", "", "㐂测试", ""),
        ("big5", "big5", "", "測試", ""),
        ("big5", "big5", "gbk", "測試人員姓名", "declares two charsets; it was read as Big5"),
        ("gbk", "big5", "gbk", "测试人员姓名", "declares two charsets; it was read as GB 18030"),
        ("gbk", "gbk", "utf-8", "测试", "declares two charsets; it was read as GB 18030"),
        ("gbk", "gbk", "us-ascii", "测试", ""),
        ("big5hkscs", "Big5-HKSCS", "", "測試", ""),
        ("shift_jis", "Shift_JIS", "", "テスト", ""),
        ("cp1251", "windows-1251", "", "Тест", ""),
        ("latin-1", "iso-8859-1", "", "créée", ""),
        ("cp1252", "iso-8859-1", "", "O’Test", "Windows-1252 under another label"),
        ("cp1252", "", "latin1", "“Test” – €", "Windows-1252 under another label"),
        ("cp1252", "us-ascii", "", "O’Test é", "read as Windows-1252"),
        ("cp1252", "utf-8", "", "O’Test é", "read as Windows-1252"),
        ("cp1252", "windows-1252", "", "O’Test é", ""),
    ],
)
def test_a_name_is_read_as_it_was_written(encoding: str, declared: str, transport: str, name: str, told: str) -> None:
    decoded = decode(file(name, encoding, declared), transport)

    assert f"<adf>{name}</adf>" in decoded.text
    assert (told in " ".join(decoded.repairs)) if told else decoded.repairs == ()


def test_a_declaration_in_a_comment_is_none() -> None:
    body = '<!-- <?xml version="1.0" encoding="big5"?> --><?xml version="1.0" encoding="gbk"?><adf>测试</adf>'

    assert "<adf>测试</adf>" in decode(body.encode("gbk"), "").text
    assert decode(body.encode("gbk"), "").repairs == ()


@pytest.mark.parametrize("label", ["", "utf-8", "iso-8859-1"])
def test_a_broken_character_costs_one_character_and_no_other(label: str) -> None:
    decoded = decode("<adf>苏州市吴江区".encode()[:-1] + b"</adf>", label)

    assert "苏州市吴江" in decoded.text
    assert "no characters" in decoded.repairs[0]


def test_half_a_character_at_the_end_of_utf_16_is_cut_off() -> None:
    assert decode("<adf>测试</adf>".encode("utf-16") + b"\x00", "").text == "<adf>测试</adf>"


def test_a_mark_before_another_charset_is_told() -> None:
    decoded = decode(b"\xef\xbb\xbf" + file("测试", "gbk", "gbk"), "")

    assert "<adf>测试</adf>" in decoded.text
    assert "does not fit" in decoded.repairs[0]


@pytest.mark.parametrize("body", [b"\x00\x81\x8d\xff<adf></adf>", b"\x81 \x8d"])
def test_what_no_charset_explains_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable, match="no encoding"):
        decode(body, "")


@given(st.binary(max_size=300), st.sampled_from(["", "gbk", "latin1", "utf-16", "big5", "hex", "idna", "zlib", "\x00"]))
def test_any_bytes_under_any_label_are_read_or_unreadable(body: bytes, label: str) -> None:
    try:
        decoded = decode(body, label)
    except Unreadable:
        return
    assert isinstance(decoded.text, str)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\ufeff"), max_size=60))
def test_what_is_in_utf_8_is_never_anything_else(text: str) -> None:
    assert decode(f"<adf>{text}</adf>".encode(), "iso-8859-1").text == f"<adf>{text}</adf>"
