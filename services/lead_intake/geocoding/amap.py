"""Amap's web service `GET /v3/geocode/geo`, whose points are GCJ-02.

Fields and levels: https://lbs.amap.com/api/webservice/guide/api/georegeo. Codes of failure:
https://lbs.amap.com/api/webservice/guide/tools/info (in English at mapsplatform.opnavi.com/api/web-service/tools/info).
What is empty comes as `[]` instead of a text. A place that it does not know comes as failure 30001.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from services.lead_intake.geocoding.port import Failure, Found, GeocoderFailed, Question
from shared.datum import to_wgs84
from shared.points import is_point
from shared.vocabulary import Accuracy, Datum

PUBLIC_URL = "https://restapi.amap.com"
MOST_ANSWERS = 10

# Countries, provinces and levels not known here are too coarse to route by, and are no answer.
_ACCURACY_OF_LEVEL = (
    dict.fromkeys(("市",), Accuracy.CITY)
    # A road may cross a whole district.
    | dict.fromkeys(("区县", "开发区", "乡镇", "村庄", "热点商圈", "道路"), Accuracy.DISTRICT)
    | dict.fromkeys(("兴趣点", "住宅区", "门牌号", "门址", "单元号", "道路交叉路口"), Accuracy.POINT)
    | dict.fromkeys(("公交站台、地铁站", "公交地铁站点"), Accuracy.POINT)
)
_CITIES_WITH_THE_RANK_OF_A_PROVINCE = ("110000", "120000", "310000", "500000", "810000", "820000")
_OK = "10000"
_NOTHING_FOUND = ("30001", "20000", "20001", "20002", "20011", "20012")
"""Only this address is at fault, not the service: not found, not readable, abroad, or not allowed to be asked."""
_UNTIL_LOOKED_AGAIN_S, _MINUTE_S = 600.0, 60.0
"""A day's quota comes back at midnight and a minute's with the next; a key may be mended at any time."""
_FAILURES = {
    **dict.fromkeys(
        ("10003", "10029", "10044", "10045", "40000", "40002", "40003"), (Failure.QUOTA, _UNTIL_LOOKED_AGAIN_S)
    ),
    **dict.fromkeys(("10004", "10010"), (Failure.TOO_FAST, _MINUTE_S)),
    **dict.fromkeys(("10014", "10019", "10020", "10021"), (Failure.TOO_FAST, 0.0)),
    **dict.fromkeys(
        ("10001", "10002", "10005", "10006", "10007", "10008", "10009", "10011", "10012", "10013", "10026", "10041"),
        (Failure.KEY, _UNTIL_LOOKED_AGAIN_S),
    ),
}
_ADCODE = re.compile(r"[0-9]{6}")


class Amap:
    """Amap's dialect with a web-service key."""

    path = "/v3/geocode/geo"

    def __init__(self, key: str) -> None:
        self._key = key

    def parameters(self, question: Question) -> Mapping[str, str]:
        """A bar would separate several addresses."""
        asked = {"key": self._key, "output": "JSON", "address": question.text.replace("|", " ")}
        return asked | ({"city": question.city} if question.city else {})

    def read(self, body: bytes) -> tuple[Found, ...]:
        """The answers of a body. Raises GeocoderFailed."""
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise GeocoderFailed(Failure.GARBAGE) from None
        if not isinstance(document, dict):
            raise GeocoderFailed(Failure.GARBAGE)
        code = _text(document.get("infocode"))
        if code in _NOTHING_FOUND:
            return ()
        if code != _OK or document.get("status") != "1":
            failure, pause_s = _FAILURES.get(code, (Failure.SERVER if code else Failure.GARBAGE, 0.0))
            raise GeocoderFailed(failure, pause_s)
        geocodes = document.get("geocodes")
        if not isinstance(geocodes, list):
            raise GeocoderFailed(Failure.GARBAGE)
        return tuple(found for one in geocodes[:MOST_ANSWERS] if (found := _found(one)))


def _found(geocode: Any) -> Found | None:
    if not isinstance(geocode, dict):
        return None
    adcode = _text(geocode.get("adcode"))
    is_city = adcode in _CITIES_WITH_THE_RANK_OF_A_PROVINCE
    accuracy = _ACCURACY_OF_LEVEL.get(_text(geocode.get("level")), Accuracy.CITY if is_city else None)
    lon_text, _, lat_text = _text(geocode.get("location")).partition(",")
    try:
        lat, lon = float(lat_text), float(lon_text)
    except ValueError:
        return None
    if accuracy is None or not is_point(lat, lon):
        return None
    try:
        lat, lon = to_wgs84(lat, lon, Datum.GCJ02)
    except ValueError:
        return None
    # 北京市 is both the province and the city of its districts.
    parts = dict.fromkeys(_text(geocode.get(field)) for field in ("province", "city", "district"))
    known = adcode if _ADCODE.fullmatch(adcode) else None
    return Found(lat, lon, accuracy, "".join(parts), known, Datum.GCJ02)


def _text(value: object) -> str:
    return value[:64] if isinstance(value, str) else ""
