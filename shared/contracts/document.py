"""The contracts as documents for other languages: a JSON Schema per topic and one AsyncAPI 3.0 document.

Formats: https://json-schema.org/draft/2020-12 and https://www.asyncapi.com/docs/reference/specification/v3.0.0.
Both derive from the models alone, so `waypost contracts check` can tell when they were left behind.
"""

import json
from typing import Any

from shared.contracts.envelope import CLOUDEVENTS_CONTENT_TYPE, Topic
from shared.contracts.topics import DEAD_LETTERS, TOPICS

WRITERS = {
    "leads.received": ["lead_intake"],
    "leads.decided": ["router"],
    "leads.answered": ["store_notifier"],
    "leads.due": ["router"],
    "leads.ordered": ["router"],
    "deliveries.attempted": ["store_notifier"],
    "network.changed": ["router"],
    "policies.published": ["router"],
    "people.erased": ["lead_intake"],
}
READERS = {
    "leads.received": ["router", "store_notifier", "audit"],
    "leads.decided": ["lead_intake", "store_notifier", "audit"],
    "leads.answered": ["router", "audit"],
    "leads.due": ["router", "audit"],
    "leads.ordered": ["router", "audit"],
    "deliveries.attempted": ["audit"],
    "network.changed": ["router", "audit"],
    "policies.published": ["router", "audit"],
    "people.erased": ["router", "audit"],
}
"""Who writes and reads each topic; a test compares both with what the services really subscribe to."""


def schema_of(topic: Topic[Any]) -> dict[str, Any]:
    """JSON Schema of a record value of `topic`, as written (unknown fields refused)."""
    schema = topic.envelope.json_schema(mode="serialization")
    # An absent attribute is left out, never null: see Fact.to_bytes.
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": f"{topic.name} record"}


def asyncapi() -> dict[str, Any]:
    """One AsyncAPI document over all topics; its operations are those of the services."""
    topics = [*TOPICS, *DEAD_LETTERS.values()]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Waypost facts",
            "version": "1.0.0",
            "description": "Every fact that Waypost publishes to Kafka. No fact carries personal data.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": {
            f"{service}.{action}.{name}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
                "summary": f"{service} {'publishes' if action == 'send' else 'consumes'} {name}",
            }
            for action, table in (("send", WRITERS), ("receive", READERS))
            for name, services in table.items()
            for service in services
        },
    }


def _channel(topic: Topic[Any]) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"Record key: {topic.key}.",
        "messages": {
            "fact": {
                "name": topic.type,
                "contentType": CLOUDEVENTS_CONTENT_TYPE,
                "payload": {"$ref": f"./{topic.name}.schema.json"},
            }
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": [topic.cleanup],
                    "retention.ms": topic.retention_days * 86_400_000 if topic.retention_days else -1,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def documents() -> dict[str, str]:
    """File name to text of every generated document."""
    files = {f"{topic.name}.schema.json": schema_of(topic) for topic in [*TOPICS, *DEAD_LETTERS.values()]}
    return {
        name: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for name, content in {**files, "asyncapi.json": asyncapi()}.items()
    }
