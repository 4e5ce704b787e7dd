"""Standard Webhooks signatures agree with the public vector and with an independent implementation."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from shared.signatures import BadSignatureError, headers, make_secret, sign, verify

NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
SECRET = make_secret(bytes(range(32)))
OTHER = make_secret(bytes(range(1, 33)))


def test_the_public_vector_of_the_specification() -> None:
    # https://github.com/standard-webhooks/standard-webhooks, used by the tests of every reference library
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(body=st.dictionaries(st.text(), st.text()).map(lambda value: json.dumps(value).encode()))
def test_an_independent_receiver_accepts_what_we_sign(body: bytes) -> None:
    now = datetime.now(UTC)  # the library reads the clock itself

    given_headers = headers([SECRET], "msg_1", now, body)

    assert Webhook(SECRET).verify(body, given_headers) == json.loads(body)


def test_during_rotation_a_receiver_may_know_either_secret() -> None:
    given_headers = headers([OTHER, SECRET], "msg_1", NOW, b"{}")

    assert verify([SECRET], given_headers, b"{}", NOW) == "msg_1"
    assert verify([OTHER], given_headers, b"{}", NOW) == "msg_1"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"webhook-signature": "v1,AAAA"}, "no signature matches"),
        ({"webhook-signature": "garbage"}, "no signature matches"),
        ({"webhook-signature": "v1,日本"}, "no signature matches"),
        ({"webhook-id": ""}, "are required"),
        ({"webhook-id": "msg_2"}, "no signature matches"),
        ({"webhook-timestamp": "tomorrow"}, "whole seconds"),
        ({"webhook-timestamp": "٣"}, "whole seconds"),
        ({"webhook-timestamp": "²"}, "whole seconds"),
        ({"webhook-timestamp": ""}, "are required"),
        ({"webhook-timestamp": " "}, "whole seconds"),
        ({"webhook-timestamp": "-1"}, "whole seconds"),
        ({"webhook-timestamp": "+1"}, "whole seconds"),
        ({"webhook-timestamp": "1772442000.5"}, "whole seconds"),
        ({"webhook-timestamp": "1e9"}, "whole seconds"),
        ({"webhook-timestamp": "1_772"}, "whole seconds"),
        ({"webhook-timestamp": "0x10"}, "whole seconds"),
        ({"webhook-timestamp": "nan"}, "whole seconds"),
        ({"webhook-timestamp": "9" * 13}, "whole seconds"),
        ({"webhook-timestamp": "9" * 5_000}, "whole seconds"),
        ({"webhook-timestamp": "9" * 12}, "5 minutes"),
        ({"webhook-timestamp": "888888888888"}, "5 minutes"),
        ({"webhook-timestamp": "253402300800"}, "5 minutes"),
        ({"webhook-timestamp": "0"}, "5 minutes"),
        ({"webhook-signature": "v1,\ud800"}, "no signature matches"),
        ({"webhook-id": "\ud800"}, "no signature matches"),
    ],
)
def test_a_changed_request_is_refused(change: dict[str, str], reason: str) -> None:
    given_headers = headers([SECRET], "msg_1", NOW, b"{}") | change

    with pytest.raises(BadSignatureError, match=reason):
        verify([SECRET], given_headers, b"{}", NOW)


@pytest.mark.parametrize("age", [timedelta(minutes=5, seconds=1), timedelta(minutes=-5, seconds=-1)])
def test_an_old_or_future_request_is_refused(age: timedelta) -> None:
    given_headers = headers([SECRET], "msg_1", NOW - age, b"{}")

    with pytest.raises(BadSignatureError, match="5 minutes"):
        verify([SECRET], given_headers, b"{}", NOW)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(BadSignatureError, match="no signature matches"):
        verify([SECRET], headers([SECRET], "msg_1", NOW, b'{"a":1}'), b'{"a":2}', NOW)
