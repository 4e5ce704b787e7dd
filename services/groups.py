"""Which consumer group reads which topics, for whoever looks at all services from outside."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.router.settings import RouterSettings
from services.store_notifier.settings import NotifierSettings
from shared.contracts import DEAD_LETTERS, TOPICS, Topic
from shared.contracts.document import READERS
from shared.migrate import SERVICES

INTAKE_GROUP, AUDIT_GROUP = "lead-intake", "audit"
HEARD_OF_BY_ALL = ("network.changed", "policies.published")
"""Every router process hears of these by itself; no group of routers shares them."""


def group_of(service: str, router: RouterSettings, notifier: NotifierSettings) -> str:
    """The consumer group of a service, without the installation's prefix."""
    names = {
        "lead_intake": INTAKE_GROUP,
        "router": router.router_group,
        "store_notifier": notifier.notifier_group,
        "audit": AUDIT_GROUP,
    }
    return names[service]


def groups(router: RouterSettings, notifier: NotifierSettings) -> Mapping[str, Sequence[Topic[Any]]]:
    """The topics of every group."""
    return {group_of(service, router, notifier): _topics(service) for service in SERVICES}


def _topics(service: str) -> list[Topic[Any]]:
    read = [topic for topic in TOPICS if service in READERS[topic.name]]
    if service == "router":
        return [topic for topic in read if topic.name not in HEARD_OF_BY_ALL]
    return [*read, *DEAD_LETTERS.values()] if service == "audit" else read
