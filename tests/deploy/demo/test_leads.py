"""The committed leads are what their scripts make, the intake takes every one, and each shows what its name says."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest

from deploy.demo.feed import CONTENT_TYPES, LEADS, SOURCES, Sending, read_play
from deploy.demo.make_leads import make_leads
from deploy.demo.make_network import FOLDER
from deploy.demo.prepare import CONSENT_VERSION
from deploy.demo.small_store import ACCEPT, answer_of
from services.lead_intake.db_sources import Source
from services.lead_intake.domain import Lead, Rules, accept_draft
from services.lead_intake.draft import Draft
from services.lead_intake.places import load_places
from services.lead_intake.sources.formats import format_of, read_leads
from services.router.domain import NEW, Ask, Decided, LeadFeatures, Received, decide_batch
from services.router.geo import ecef_m
from services.router.network import read_network_file
from services.router.policy import Policy, check
from services.router.snapshot import Snapshot
from shared.vocabulary import Accuracy, Intent

POLICY = Policy.from_toml((FOLDER / "policy.toml").read_text(encoding="utf-8"), 1)
RULES = Rules(pepper=bytes(32), places=load_places())
NOW = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def network() -> Snapshot:
    return Snapshot.build(read_network_file(FOLDER / "network.csv"), 1)


def leads_of(sending: Sending) -> list[Lead]:
    """What the intake makes of one file, by its own readers."""
    source = Source("demo", CONSENT_VERSION)
    name, charset = format_of(sending.content_type.encode(), b"")
    leads = []
    for number, item in read_leads(name, sending.body, charset, source, RULES.places, NOW):
        assert isinstance(item, Draft), (sending.name, item)
        leads.append(
            accept_draft(item, RULES, lead_id=UUID(int=number), source="demo", received_at=NOW, traceparent="")
        )
    return leads


def leads_named(what: str) -> list[Lead]:
    return [
        lead
        for sending in read_play()
        if sending.name.split("-", 1)[1].rsplit(".", 1)[0] == what
        for lead in leads_of(sending)
    ]


def nearest(network: Snapshot, lead: Lead) -> list[tuple[str, int]]:
    """The nearest three capable sites within reach, with whole metres."""
    assert lead.place is not None
    rule = POLICY.intents[lead.intent]
    distances, found = network.nearest(rule.key, ecef_m([lead.place.lat], [lead.place.lon]), 3)
    return [
        (network.sites[index].site_id, int(distance) // 1000)
        for distance, index in zip(distances[0], found[0], strict=True)
        if distance <= rule.max_distance_km * 1_000_000
    ]


def test_the_committed_files_are_what_the_script_makes() -> None:
    assert {file.name: file.read_bytes() for file in LEADS.iterdir()} == make_leads()


def test_every_file_has_a_kind_that_the_play_knows_how_to_send() -> None:
    sendings = read_play()
    assert len(sendings) == len(list(LEADS.iterdir()))
    for sending in sendings:
        assert sending.kind in SOURCES
        assert sending.content_type in CONTENT_TYPES.values()
        assert len(sending.whences) == len(sending.intents) >= 1


def test_the_intake_takes_every_lead_and_they_cover_every_intent_and_accuracy() -> None:
    leads = [lead for sending in read_play() for lead in leads_of(sending)]
    assert {lead.intent for lead in leads} == set(Intent)
    assert {lead.place.accuracy if lead.place else None for lead in leads} == {*Accuracy, None}
    assert {lead.place.given_datum for lead in leads if lead.place} >= {"wgs84", "gcj02"}


def test_nobody_in_the_play_exists() -> None:
    for sending in read_play():
        for lead in leads_of(sending):
            assert (lead.contact.name or "").startswith(("Test Person ", "测试人员"))
            assert (lead.contact.phone or "").startswith("+861740000")
            assert lead.contact.email is None or lead.contact.email.endswith("@example.com")


def test_only_the_pair_that_shows_joining_is_one_person_in_two_spellings() -> None:
    first, second = leads_named("form-same-person") + leads_named("app-same-person")
    assert first.tokens[0] == second.tokens[0]
    leads = [lead for sending in read_play() for lead in leads_of(sending)]
    assert len({lead.tokens[0] for lead in leads}) == len(leads) - 1


def test_the_policy_fits_the_network_and_differs_from_the_default_in_hurry_and_water_only(network: Snapshot) -> None:
    assert [str(finding) for finding in check(POLICY, network) if finding.level == "error"] == []
    text = (FOLDER.parents[1] / "services/router/default_policy.toml").read_text(encoding="utf-8")
    default = Policy.from_toml(text, 1)
    hurried = {name: rule.model_copy(update={"respond_by_minutes": 1}) for name, rule in default.intents.items()}
    expected = default.model_copy(update={"digest": "", "intents": hurried, "barriers": POLICY.barriers})
    assert expected == POLICY.model_copy(update={"digest": ""})
    assert [barrier.name for barrier in POLICY.barriers] == ["Xiamen island"]


def test_the_stores_that_refuse_or_stay_silent_are_the_nearest_to_the_leads_that_show_it(network: Snapshot) -> None:
    declined = leads_named("form-declined") + leads_named("form-pinyin")
    for lead in declined:
        first, second, *_ = nearest(network, lead)
        assert (answer_of(first[0], lead.intent) or {})["answer"] == "declined"
        assert answer_of(second[0], lead.intent) == ACCEPT
    for lead in leads_named("form-silent"):
        first, second, *_ = nearest(network, lead)
        assert answer_of(first[0], lead.intent) is None
        assert answer_of(second[0], lead.intent) == ACCEPT
    (by_all,) = leads_named("form-declined-by-all")
    assert [(answer_of(site_id, by_all.intent) or {})["answer"] for site_id, _ in nearest(network, by_all)] == [
        "declined"
    ]


def test_the_two_stores_of_the_mall_are_equally_near_to_the_leads_that_show_the_tie(network: Snapshot) -> None:
    leads = leads_named("form-mall")
    assert len(leads) >= 3
    for lead in leads:
        (one, near_m), (two, far_m), *_ = nearest(network, lead)
        assert {one, two} == {"suzhou-huqiu-store", "suzhou-huqiu-store-2"}
        assert far_m - near_m <= POLICY.tie_band_m


def test_the_full_store_is_the_nearest_and_may_hold_the_silent_lead_only(network: Snapshot) -> None:
    (full,) = leads_named("form-full")
    silent = leads_named("form-silent")[0]
    site = network.get(nearest(network, full)[0][0])
    assert site is not None
    assert site.open_lead_limit == 1
    assert nearest(network, silent)[0][0] == site.site_id


def decided(network: Snapshot, lead: Lead) -> dict[str, Any]:
    """The record of the decision that an idle network would take."""
    assert lead.place is not None
    features = LeadFeatures(
        str(UUID(int=1)), str(UUID(int=2)), lead.intent, (lead.place.lat, lead.place.lon), None, NOW
    )
    [answer] = decide_batch([Ask(features, NEW, Received(str(UUID(int=3))))], network, POLICY, {}, NOW)
    assert isinstance(answer, Decided)
    record: dict[str, Any] = orjson.loads(answer.record)
    return record


def test_the_nearest_service_point_to_one_lead_has_closed_down(network: Snapshot) -> None:
    (closed,) = leads_named("form-closed-site")
    record = decided(network, closed)
    assert record["candidates"][0]["lost"] == "not_in_business"
    assert record["site_id"] == record["candidates"][1]["site_id"]


def test_the_nearest_store_to_one_lead_lies_across_the_water(network: Snapshot) -> None:
    (across,) = leads_named("form-across-water")
    (straight, _), *_ = nearest(network, across)
    record = decided(network, across)
    assert straight.startswith("xiamen-siming-")
    assert record["site_id"] == "xiamen-jimei-center"
    detours = {row["site_id"]: row.get("detour_m") for row in record["candidates"]}
    assert (detours[straight], detours["xiamen-jimei-center"]) == (8_000, None)


def test_leads_of_recruiting_cities_and_of_far_away_have_no_site_in_reach(network: Snapshot) -> None:
    for lead in leads_named("form-city-recruiting") + leads_named("form-far-from-any-site"):
        assert nearest(network, lead) == []


def test_leads_without_a_clear_place_are_taken_and_say_so() -> None:
    for lead in leads_named("form-place-unclear") + leads_named("form-place-ambiguous"):
        assert lead.place is None


def test_one_wish_can_be_honoured_and_the_other_cannot(network: Snapshot) -> None:
    (can,), (cannot,) = leads_named("form-preferred-site"), leads_named("form-preferred-site-cannot")
    wished, refused = network.get(can.preferred_site_id or ""), network.get(cannot.preferred_site_id or "")
    assert wished is not None
    assert refused is not None
    assert nearest(network, can)[0][0] != wished.site_id
    assert set(POLICY.intents[can.intent].requires) <= wished.capabilities
    assert not set(POLICY.intents[cannot.intent].requires) <= refused.capabilities


def test_the_number_of_leads_that_the_screen_expects_is_the_number_that_the_intake_reads() -> None:
    for sending in read_play():
        assert len(leads_of(sending)) == len(sending.whences), sending.name


def test_adf_mails_in_the_wild_say_work_wish_and_place() -> None:
    (service,), (wish,), (nowhere,) = (
        leads_named("adf-service"),
        leads_named("adf-wished-vendor"),
        leads_named("adf-place-unknown"),
    )
    assert service.intent is Intent.MECHANICAL_REPAIR
    assert service.place is not None
    assert service.place.accuracy is Accuracy.DISTRICT
    assert wish.preferred_site_id == "changsha-yuelu-store"
    assert nowhere.place is None
    assert leads_named("adf-gbk")[0].contact.name == "测试人员69"
