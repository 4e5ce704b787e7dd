"""Creating the topics of the contracts, and saying what is wrong with existing ones."""

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.contracts import DEAD_LETTERS, TOPICS, Topic
from shared.errors import UserError
from shared.kafka.limits import MAX_DEAD_MESSAGE_BYTES, MAX_MESSAGE_BYTES
from shared.settings import Settings
from shared.words import counted

DAY_MS = 86_400_000


def all_topics() -> list[Topic[Any]]:
    """Every topic that must exist: the contracts' and their dead letters'."""
    return [*TOPICS, *DEAD_LETTERS.values()]


def configuration(topic: Topic[Any]) -> dict[str, str]:
    """Kafka's settings for a topic."""
    is_dead = topic.name.endswith(".dead")
    return {
        "retention.ms": str(topic.retention_days * DAY_MS if topic.retention_days else -1),
        "cleanup.policy": topic.cleanup,
        "max.message.bytes": str(MAX_DEAD_MESSAGE_BYTES if is_dead else MAX_MESSAGE_BYTES),
        # The broker's time, not the sender's: Kafka refuses records that a fast clock stamped an hour ahead, and throws
        # those away early that a slow one stamped.
        "message.timestamp.type": "LogAppendTime",
    }


async def apply_topics(settings: Settings, *, replication: int | None = None) -> list[str]:
    """Create what is missing and return its names. Existing topics are left as they are (see `check_topics`).

    `replication` defaults to 3, or to the number of brokers when there are fewer. Raises UserError when refused.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.require_kafka(), request_timeout_ms=30_000)
    await admin.start()
    try:
        brokers = len((await admin.describe_cluster())["brokers"])
        factor = replication or min(3, brokers)
        existing = set(await admin.list_topics())
        missing = [
            NewTopic(
                settings.topic_prefix + topic.name,
                num_partitions=topic.partitions,
                replication_factor=factor,
                topic_configs=configuration(topic),
            )
            for topic in all_topics()
            if settings.topic_prefix + topic.name not in existing
        ]
        if missing:
            response = await admin.create_topics(missing, timeout_ms=20_000)
            _refuse_failures(response.topic_errors)
        return [topic.name for topic in missing]
    finally:
        await admin.close()


def _refuse_failures(errors: list[tuple[Any, ...]]) -> None:
    already_exists = 36  # another `topics apply` was quicker: fine
    failed = [error for error in errors if error[1] not in (0, already_exists)]
    if failed:
        name, code, *text = failed[0]
        raise UserError(f"Kafka refused to create topic {name} (code {code}): {text[0] if text else ''}")


async def check_topics(settings: Settings) -> list[str]:
    """What is wrong with the topics, one line each; empty when all is well."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.require_kafka(), request_timeout_ms=10_000)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        wanted = {settings.topic_prefix + topic.name: topic for topic in all_topics()}
        problems = [f"topic {name} is missing: run `waypost topics apply`" for name in wanted if name not in existing]
        present = [name for name in wanted if name in existing]
        for description in await admin.describe_topics(present) if present else []:
            topic = wanted[description["topic"]]
            found = len(description["partitions"])
            if found != topic.partitions:
                problems.append(
                    f"topic {description['topic']} has {counted(found, 'partition')} instead of {topic.partitions}: "
                    "create it anew, or keys lose their order"
                )
        problems += await _wrong_settings(admin, {name: wanted[name] for name in present})
        return problems
    finally:
        await admin.close()


async def _wrong_settings(admin: AIOKafkaAdminClient, topics: dict[str, Topic[Any]]) -> list[str]:
    if not topics:
        return []
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
    problems = []
    for response in await admin.describe_configs(resources):
        for _code, _message, _kind, name, entries in response.resources:
            found = {entry[0]: entry[1] for entry in entries}
            for key, value in configuration(topics[name]).items():
                if found.get(key) != value:
                    problems.append(f"topic {name} has {key}={found.get(key)} instead of {value}: alter it to {value}")
    return problems
