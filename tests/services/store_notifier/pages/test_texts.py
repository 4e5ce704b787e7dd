"""Both languages say everything, and the right one is chosen."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.store_notifier.pages.cards import SECTIONS, CardState
from services.store_notifier.pages.texts import CHINESE, ENGLISH, LANGUAGES, language_of
from shared.contracts import DeclineReason, Result
from shared.vocabulary import Intent


def test_both_languages_have_the_same_keys() -> None:
    assert ENGLISH.keys() == CHINESE.keys()


def test_both_languages_have_the_same_gaps_to_fill() -> None:
    def gaps(text: str) -> set[str]:
        return {name.split(".")[0] for _, name, _, _ in string.Formatter().parse(text) if name}

    assert {key: gaps(text) for key, text in ENGLISH.items()} == {key: gaps(text) for key, text in CHINESE.items()}


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_every_value_of_the_closed_lists_has_its_words(words: dict[str, str]) -> None:
    needed = [
        *(f"intent.{intent}" for intent in Intent),
        *(f"decline_reason.{reason}" for reason in DeclineReason),
        *(f"result.{result}" for result in Result),
        *(f"{prefix}.{state}" for state in CardState for prefix in ("state", "said", "late")),
        *SECTIONS,
        *(f"none_{section}" for section in SECTIONS),
    ]

    assert [key for key in needed if key not in words] == []


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("fr-FR,fr;q=0.9,zh-TW;q=0.4", "zh"),
        ("en;q=0.2, zh;q=0.7", "zh"),
        ("zh;q=0, en;q=0.1", "en"),
        ("zh;q=much", "en"),
        ("de", "en"),
    ],
)
def test_the_browsers_best_known_language_is_taken(header: str, language: str) -> None:
    assert language_of(None, header) == language


def test_a_choice_on_the_page_beats_the_browser() -> None:
    assert language_of("en", "zh-CN") == "en"
    assert language_of("xx", "zh-CN") == "zh"


@given(st.text(max_size=300))
def test_any_header_gives_a_language(header: str) -> None:
    assert language_of(None, header) in LANGUAGES
