"""Times that senders give: RFC 3339 and nothing else, and no year in which nobody can have agreed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.domain import received_fact
from services.lead_intake.draft import Draft, MendedDraft
from services.lead_intake.faults import Refused
from services.lead_intake.sent_times import CLOCK_ERROR, EARLIEST
from services.lead_intake.sources.json import read_json
from tests.services.lead_intake.builders import NOW, accept, draft, lead_json


def consent(given_at: Any) -> Draft | Refused:
    item = read_json(orjson.dumps(lead_json(consent={"given_at": given_at, "text_version": "v1"})))
    assert isinstance(item, Draft | Refused)
    return item


@pytest.mark.parametrize(
    "written",
    [
        *(0, 1, -1, 1772326070, 1772326070123, 1.5, True, None, [], {}),
        *("0", "1772326070", "1772326070.5", "-1", "1e9", "2026-02-27", "2026-02-27T09:00:00", "2026-02-27 09:00"),
        *("09:00:00+08:00", "2026-W09-5T09:00:00Z", "20260227T090000Z", "2026-02-30T09:00:00Z", "2026-02-27T25:00:00Z"),
        *("yesterday", "", "２０２６-02-27T09:00:00Z", "٢٠٢٦-02-27T09:00:00Z", "2026-02-27T09:00:00+99:00", "P1D"),
        *("+2026-02-27T09:00:00Z", "02026-02-27T09:00:00Z", "2026-02-27T09:00:00Z junk", "2026-02-27T09Z"),
    ],
)
def test_what_is_no_time_of_rfc_3339_is_refused(written: Any) -> None:
    refused = consent(written)

    assert isinstance(refused, Refused)
    assert [fault.pointer for fault in refused.faults] == ["/consent/given_at"]
    lead = read_json(orjson.dumps(lead_json() | {"client_time": written}))
    assert isinstance(lead, Draft)
    assert lead.client_time is None
    # An empty text is a field that was left out.
    told = [remark.pointer for remark in lead.remarks] if isinstance(lead, MendedDraft) else []
    assert told == ([] if written in (None, "") else ["/client_time"])


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-02-27T09:00:00+08:00", datetime(2026, 2, 27, 1, tzinfo=UTC)),
        ("2026-02-27t09:00:00z", datetime(2026, 2, 27, 9, tzinfo=UTC)),
        ("2026-02-27 09:00:00Z", datetime(2026, 2, 27, 9, tzinfo=UTC)),
        ("2026-02-27T09:00+0800", datetime(2026, 2, 27, 1, tzinfo=UTC)),
        ("2026-02-27T09:00:00.123456789Z", datetime(2026, 2, 27, 9, microsecond=123_456, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (" 2026-02-27T09:00:00-00:00 ", datetime(2026, 2, 27, 9, tzinfo=UTC)),
    ],
)
def test_what_rfc_3339_writes_is_read(written: str, moment: datetime) -> None:
    read = consent(written)

    assert isinstance(read, Draft)
    assert read.consent.given_at == moment
    assert accept(read).consent_at == moment


@pytest.mark.parametrize(
    "written",
    [
        *("0001-01-01T00:00:00+08:00", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59Z"),
        *("2126-03-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "2026-03-01T01:07:04Z", "2026-03-01T09:30:00+08:00"),
    ],
)
def test_nobody_agreed_before_2000_or_in_the_future(written: str) -> None:
    given = consent(written)
    assert isinstance(given, Draft)

    with pytest.raises(Refused) as refused:
        accept(given)

    assert [fault.pointer for fault in refused.value.faults] == ["/consent/given_at"]


@given(st.datetimes(timezones=st.just(UTC)))
def test_consent_is_taken_exactly_between_the_year_2000_and_the_error_of_a_clock(moment: datetime) -> None:
    given = consent(moment.isoformat())
    assert isinstance(given, Draft)
    possible = EARLIEST <= moment <= NOW + CLOCK_ERROR

    try:
        lead = accept(given)
    except Refused:
        assert not possible
    else:
        assert possible
        assert lead.consent_at == moment


def test_a_clock_a_little_ahead_may_agree() -> None:
    assert accept(draft(consent={"given_at": (NOW + CLOCK_ERROR).isoformat(), "text_version": "v1"}))


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_clock_that_nobody_set_is_told_and_loses_no_lead(moment: str) -> None:
    lead = accept(draft(client_time=moment))

    assert lead.client_time is None
    assert [remark.pointer for remark in lead.remarks] == ["/client_time"]
    assert received_fact(lead, lead.lead_id).data.client_time is None


def test_a_clock_without_its_zone_is_kept_as_it_says() -> None:
    ahead = NOW + timedelta(hours=8)

    lead = accept(draft(client_time=ahead.isoformat()))

    assert (lead.client_time, lead.remarks) == (ahead, ())
