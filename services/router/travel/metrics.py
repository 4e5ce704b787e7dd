"""What is counted of travel times. Labels come from closed lists; no point and no site ever becomes one."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class TravelMetrics:
    """In the registry of the router's other metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "waypost_router_travel_requests",
            "Questions to the travel-time engine, by what came of them.",
            ["result"],
            registry=registry,
        )
        self.ways = Counter(
            "waypost_router_travel_ways",
            "Ways whose time was wanted: known from the cache, or asked for.",
            ["from"],
            registry=registry,
        )
        self.leads = Counter(
            "waypost_router_travel_leads",
            "Leads given to a decision with times, or with the reason why there are none.",
            ["result"],
            registry=registry,
        )
        self.seconds = Histogram(
            "waypost_router_travel_seconds",
            "How long the leads of one batch waited for travel times.",
            buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5),
            registry=registry,
        )
        self.resting = Gauge(
            "waypost_router_travel_resting",
            "1 while the engine is left alone because it did not answer.",
            registry=registry,
        )
