"""The report as GeoJSON (RFC 7946) for a map program, and as plain values for machines; no id of a lead or a person."""

from typing import Any

from services.router.gaps.places import Place
from services.router.gaps.report import Gap, Report
from services.router.gaps.suggestions import Effect, Suggestion
from services.router.sites import Site


def as_geojson(report: Report) -> dict[str, Any]:
    """A FeatureCollection of WGS-84 points; the property `kind` is `demand`, `suggested_site` or `site`."""
    demand = [
        _feature(
            one.lat,
            one.lon,
            kind="demand",
            place=one.place.label,
            intent=one.unmet.intent.value,
            reason=one.unmet.reason,
            leads=one.unmet.leads,
            oldest=one.unmet.oldest.isoformat(),
            nearest_site=_site_id(one.nearest),
            nearest_km=_km(one.nearest_km),
        )
        for one in report.demand.entries()
    ]
    suggested = [
        _feature(one.lat, one.lon, kind="suggested_site", rank=rank, **_gain(one))
        for rank, one in enumerate(report.suggestions, start=1)
    ]
    sites = [
        _feature(
            site.lat,
            site.lon,
            kind="site",
            site_id=site.site_id,
            name=site.name,
            site_kind=site.kind.value,
            status=site.status.value,
        )
        for site in report.sites
    ]
    return {"type": "FeatureCollection", "features": demand + suggested + sites}


def as_json(report: Report) -> dict[str, Any]:
    """The gaps and suggestions as plain values: kilometres with one decimal, times in ISO 8601."""
    return {
        "at": report.at.isoformat(),
        "network_revision": report.network_revision,
        "policy_version": report.policy_version,
        "leads_waiting": report.waiting,
        "leads_waiting_without_place": report.unplaced,
        "leads_travelled_far": report.travelled,
        "gaps": [_gap(gap) for gap in report.gaps],
        "suggested_sites": [{"lat": one.lat, "lon": one.lon, **_gain(one)} for one in report.suggestions],
        "before": _effect(report.before),
        "after": _effect(report.after),
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        **_place(gap.place),
        "leads": gap.leads,
        "by_reason": gap.by_reason,
        "by_intent": gap.by_intent,
        "oldest": gap.oldest.isoformat(),
        "mean_km": _km(gap.mean_km),
        "worst_km": _km(gap.worst_km),
        "nearest_site": _site_id(gap.nearest),
        "leads_without_capable_site": gap.without_site,
    }


def _gain(one: Suggestion) -> dict[str, Any]:
    return {
        **_place(one.place),
        "leads": one.leads,
        "mean_km_before": _km(one.mean_km_before),
        "mean_km_after": _km(one.mean_km_after),
        "capabilities": [capability.value for capability in one.capabilities],
        "leads_by_kind": {kind.value: leads for kind, leads in one.leads_by_kind.items()},
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "leads_within_reach": effect.within,
        "mean_km": _km(effect.mean_km),
        "leads_without_capable_site": effect.without_site,
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "place": place.label,
        "city": place.city,
        "district": place.district,
        "beyond_km": place.beyond_km,
        "direction": place.direction or None,
    }


def _feature(lat: float, lon: float, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": properties,
    }


def _km(km: float | None) -> float | None:
    return None if km is None else round(km, 1)


def _site_id(site: Site | None) -> str | None:
    return None if site is None else site.site_id
