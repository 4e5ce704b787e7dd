"""What is remembered of ways, and of an engine that fails."""

from services.router.travel.breaker import Breaker
from services.router.travel.cache import Pair, TravelCache

HERE, THERE = (31.3, 120.6), (31.4, 120.6)


def pair(site_id: str) -> Pair:
    return Pair(HERE, site_id, THERE)


def test_a_way_is_known_until_it_is_old() -> None:
    cache = TravelCache(10, 60)
    cache.put(pair("near"), 300, 1_000)
    cache.put(pair("island"), None, 1_000)

    assert cache.get(pair("near"), 1_059) == (300,)
    assert cache.get(pair("island"), 1_059) == (None,)
    assert cache.get(pair("near"), 1_060) is None
    assert cache.get(pair("stranger"), 1_000) is None


def test_a_site_that_moved_is_asked_for_anew() -> None:
    cache = TravelCache(10, 60)
    cache.put(pair("near"), 300, 0)

    assert cache.get(pair("near")._replace(end=(31.5, 120.6)), 1) is None


def test_the_way_that_was_not_needed_for_longest_makes_room() -> None:
    cache = TravelCache(2, 60)
    cache.put(pair("a"), 1, 0)
    cache.put(pair("b"), 2, 0)
    cache.get(pair("a"), 1)
    cache.put(pair("c"), 3, 2)

    assert (len(cache), cache.get(pair("b"), 3)) == (2, None)
    assert (cache.get(pair("a"), 3), cache.get(pair("c"), 3)) == ((1,), (3,))


def test_without_room_nothing_is_remembered() -> None:
    cache = TravelCache(0, 60)
    cache.put(pair("a"), 1, 0)

    assert cache.get(pair("a"), 0) is None


def test_an_engine_that_fails_again_and_again_is_left_alone_and_tried_once_after_each_rest() -> None:
    breaker = Breaker(3, 10)

    assert [breaker.failed(0), breaker.failed(1), breaker.failed(2)] == [False, False, True]
    assert [breaker.allows(2), breaker.allows(11.9)] == [False, False]
    assert [breaker.allows(12), breaker.allows(12), breaker.allows(21.9)] == [True, False, False]
    assert not breaker.failed(22)
    assert [breaker.allows(31.9), breaker.allows(32)] == [False, True]
    assert breaker.answered()
    assert [breaker.allows(32), breaker.is_resting, breaker.answered()] == [True, False, False]


def test_only_failures_in_a_row_count() -> None:
    breaker = Breaker(3, 10)
    for _ in range(5):
        breaker.failed(0)
        breaker.failed(0)
        breaker.answered()

    assert breaker.allows(0)
