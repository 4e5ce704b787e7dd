"""Policy files as operators write them: text that only looks like a number, marks of editors, and bounded refusals."""

from pathlib import Path

import pytest

from services.router.policies import read_policy_file
from services.router.policy import Policy, PolicyError, check
from services.router.snapshot import Snapshot
from shared.errors import UserError
from tests.services.router.networks import DEFAULT_POLICY, site

TIE_BAND = "tie_band_m = 50"


def read(tmp_path: Path, text: str | bytes) -> str:
    file = tmp_path / "policy.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_policy_file(file)


def refusal(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(PolicyError) as refused:
        read(tmp_path, text)
    assert len(refused.value.message) < 10_000
    return refused.value.faults


def test_the_bundled_policy_is_as_strict_as_any() -> None:
    assert Policy.from_toml(DEFAULT_POLICY, 1, as_written=True).candidates == 5


@pytest.mark.parametrize("written", [b"\xef\xbb\xbf" + DEFAULT_POLICY.encode(), DEFAULT_POLICY.replace("\n", "\r\n")])
def test_marks_and_line_ends_of_editors_make_no_other_policy(tmp_path: Path, written: str | bytes) -> None:
    assert read(tmp_path, written) == DEFAULT_POLICY


@pytest.mark.parametrize(
    ("encoding", "says"), [("utf-16", "is UTF-16"), ("utf-16-le", "looks like UTF-16"), ("gbk", "looks like GBK")]
)
def test_another_encoding_is_named(tmp_path: Path, encoding: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        read(tmp_path, f"# 门店政策\n{DEFAULT_POLICY}".encode(encoding))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ('"50"', "tie_band_m: is a text; write a number, without quotes"),
        ("true", "tie_band_m: is true or false; write a number, without quotes"),
        ("nan", "tie_band_m: is nan; write a number"),
        ("-inf", "tie_band_m: is -inf; write a number"),
        ("1979-05-27", "tie_band_m: must be a number"),
        ("3" + "0" * 5_000, "is not TOML: a number has thousands of digits"),
        ("[" * 50_000, "is not TOML: it is nested too deeply"),
        ("0b_1", "is not TOML"),
        ("٥٠", "is not TOML"),
    ],
)
def test_what_is_no_number_is_refused(tmp_path: Path, value: str, says: str) -> None:
    [fault] = refusal(tmp_path, DEFAULT_POLICY.replace(TIE_BAND, f"tie_band_m = {value}"))
    assert fault.startswith(says)


@pytest.mark.parametrize("value", ["true", '"5"', "5.5", "nan", "inf"])
def test_a_whole_number_is_as_strict(tmp_path: Path, value: str) -> None:
    [fault] = refusal(tmp_path, DEFAULT_POLICY.replace("candidates = 5 ", f"candidates = {value} "))
    assert fault.startswith("candidates: ")


def test_numbers_in_lists_and_lines_are_as_strict(tmp_path: Path) -> None:
    steps = DEFAULT_POLICY.replace("respond_by_minutes = 10\n", 'respond_by_minutes = 10\nradius_km = ["1"]\n', 1)
    assert refusal(tmp_path, steps) == ["intents.purchase.radius_km.0: is a text; write a number, without quotes"]
    lake = '[[barriers]]\nname = "lake"\ndatum = "wgs84"\ndetour_km = 4\nline = [[31.2, nan], [31.3, 120.6]]\n'
    assert "barriers.0.line.0.1: is nan; write a number" in refusal(tmp_path, DEFAULT_POLICY + lake)


def test_a_policy_that_was_published_with_such_numbers_still_counts() -> None:
    text = DEFAULT_POLICY.replace(TIE_BAND, 'tie_band_m = "50"').replace("candidates = 5 ", "candidates = true ")
    kept = Policy.from_toml(text, 7)
    assert (kept.tie_band_m, kept.candidates) == (50, 1)


def test_many_faults_are_counted_by_table_and_long_names_are_cut(tmp_path: Path) -> None:
    keys = "\n".join(f"key_{number} = 1" for number in range(5_000))
    many = DEFAULT_POLICY.replace("[intents.purchase]\n", f"[intents.purchase]\n{keys}\n")
    assert len(refusal(tmp_path, many)) == 20
    with pytest.raises(PolicyError, match=r"and 4,980 more like these: 4,980 of intents\.purchase"):
        read(tmp_path, many)
    long = DEFAULT_POLICY.replace(TIE_BAND, f'"{"k" * 300_000}" = 1\n{TIE_BAND}')
    assert all(len(fault) <= 400 for fault in refusal(tmp_path, long))
    long = DEFAULT_POLICY.replace('requires = ["sales"]', f'requires = ["{"s" * 300_000}"]')
    assert all(len(fault) <= 400 for fault in refusal(tmp_path, long))


def test_a_large_file_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has 3 MiB; 2 MiB are the most"):
        read(tmp_path, b"#" * (3 << 20))


def test_findings_are_few_enough_to_be_read() -> None:
    def of_cities(number: int) -> str:
        return "".join(f'[[shares]]\ncity = "City {city}"\npartners = {{ one = 5 }}\n' for city in range(number))

    network = Snapshot.build([site("one")], 1)
    found = check(Policy.from_toml(f"{DEFAULT_POLICY}\n{of_cities(200)}", 1), network)
    assert len(found) == 51
    assert found[-1].message.endswith("more findings like these")
    assert check(Policy.from_toml(f"{DEFAULT_POLICY}\n{of_cities(51)}", 1), network)[-1].message.startswith(
        "and 1 more finding "
    )
