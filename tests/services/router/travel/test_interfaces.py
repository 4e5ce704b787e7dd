"""What OSRM and Valhalla are asked, and what their answers come to."""

import orjson
import pytest

from services.router.travel.answer import Interface, NoTimes, Question
from services.router.travel.osrm import Osrm
from services.router.travel.valhalla import Valhalla
from shared.contracts import WhyDistance

XIAMEN, JIMEI, HAICANG = (24.4885, 118.0274), (24.5712, 118.0972), (24.4846, 118.033)


def test_osrm_is_asked_in_longitude_and_latitude() -> None:
    question = Osrm().question([XIAMEN], [JIMEI, HAICANG])

    assert question == Question(
        "/table/v1/driving/118.027400,24.488500;118.097200,24.571200;118.033000,24.484600"
        "?sources=0&destinations=1;2&generate_hints=false"
    )
    assert Osrm().question([XIAMEN, JIMEI], [HAICANG]).path.endswith("?sources=0;1&destinations=2&generate_hints=false")
    assert Osrm("truck").question([XIAMEN], [JIMEI]).path.startswith("/table/v1/truck/")


def test_valhalla_is_asked_by_name() -> None:
    path, body = Valhalla().question([XIAMEN], [JIMEI])

    assert path == "/sources_to_targets"
    assert orjson.loads(body or b"") == {
        "sources": [{"lat": 24.4885, "lon": 118.0274}],
        "targets": [{"lat": 24.5712, "lon": 118.0972}],
        "costing": "auto",
    }
    assert b'"costing":"truck"' in (Valhalla("truck").question([XIAMEN], [JIMEI]).body or b"")


@pytest.mark.parametrize(
    ("interface", "body"),
    [
        (Osrm(), b'{"code":"Ok","durations":[[840.4,null,0]],"sources":[{"hint":"x"}],"destinations":[]}'),
        (
            Valhalla(),
            b'{"sources_to_targets":[[{"time":840.4,"distance":9.1},{"time":null},{"time":0}]],"units":"kilometers"}',
        ),
        (Valhalla(), b'{"sources_to_targets":[{"time":840.4},{"time":null},{"time":0}]}'),
        (Valhalla(), b'{"sources_to_targets":{"durations":[[840.4,null,0]],"distances":[[9.1,null,0]]}}'),
    ],
)
def test_an_answer_is_whole_seconds_and_none_without_a_way(interface: Interface, body: bytes) -> None:
    assert interface.read(200, body, 1, 3) == [[840, None, 0]]


@pytest.mark.parametrize(
    ("interface", "body"),
    [
        (Osrm(), b'{"code":"NoSegment","message":"Could not find a matching segment for coordinate 0"}'),
        (Osrm(), b'{"code":"NoTable"}'),
        (Valhalla(), b'{"error_code":171,"error":"No suitable edges near location","status_code":400}'),
        (Valhalla(), b'{"error_code":442,"error":"No path could be found for input"}'),
    ],
)
def test_a_point_that_no_road_is_near_spoils_its_table(interface: Interface, body: bytes) -> None:
    with pytest.raises(NoTimes) as caught:
        interface.read(400, body, 1, 2)

    assert caught.value.why is WhyDistance.NO_ROUTE


@pytest.mark.parametrize(
    ("interface", "body"),
    [
        (Osrm(), b'{"code":"Ok","durations":[[1,2,3],[4,5,null]]}'),
        (Valhalla(), b'{"sources_to_targets":[[{"time":1},{"time":2},{"time":3}],[{"time":4},{"time":5},{}]]}'),
        (Valhalla(), b'{"sources_to_targets":[{"time":1},{"time":2},{"time":3},{"time":4},{"time":5},{}]}'),
        (Valhalla(), b'{"sources_to_targets":{"durations":[[1,2,3],[4,5,null]]}}'),
    ],
)
def test_every_start_has_a_row_of_its_own(interface: Interface, body: bytes) -> None:
    assert interface.read(200, body, 2, 3) == [[1, 2, 3], [4, 5, None]]


@pytest.mark.parametrize("interface", [Osrm(), Valhalla()], ids=["osrm", "valhalla"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"code":"Ok"}',
        b'{"code":"Ok","durations":[[1]]}',
        b'{"code":"Ok","durations":[[1,2],[3,4]]}',
        b'{"code":"Ok","durations":[[1,-2]]}',
        b'{"code":"Ok","durations":[[1,"2"]]}',
        b'{"code":"Ok","durations":[[1,1e9]]}',
        b'{"sources_to_targets":[]}',
        b'{"sources_to_targets":[[{"time":1}]]}',
        b'{"sources_to_targets":[[{"time":1},{"time":2}],[{"time":3},{"time":4}]]}',
        b'{"sources_to_targets":[[{"time":1},{"time":-2}]]}',
        b'{"sources_to_targets":[[{"time":1},{"time":true}]]}',
        b'{"sources_to_targets":{"durations":[[1]]}}',
    ],
)
def test_what_is_no_answer_is_never_taken_for_one(interface: Interface, body: bytes) -> None:
    with pytest.raises(NoTimes) as caught:
        interface.read(200, body, 1, 2)

    assert caught.value.why is WhyDistance.UNREADABLE


@pytest.mark.parametrize(
    ("interface", "status", "body", "detail"),
    [
        (Osrm(), 400, b'{"code":"TooBig","message":"Too many table coordinates"}', "HTTP 400 TooBig"),
        (Osrm(), 400, b'{"code":"at 24.4885, 118.0274"}', "HTTP 400"),
        (Osrm(), 404, b"not here", "HTTP 404"),
        (Osrm(), 302, b"", "HTTP 302"),
        (Valhalla(), 400, b'{"error_code":154,"error":"Path distance exceeds the limit"}', "HTTP 400 error_code 154"),
        (Valhalla(), 404, b"not here", "HTTP 404"),
    ],
)
def test_a_refusal_is_named_by_its_code_and_never_by_its_text(
    interface: Interface, status: int, body: bytes, detail: str
) -> None:
    with pytest.raises(NoTimes) as caught:
        interface.read(status, body, 1, 2)

    assert (caught.value.why, caught.value.detail) == (WhyDistance.REFUSED, detail)
