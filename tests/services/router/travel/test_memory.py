"""What is remembered of ways."""

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
