"""Kafka, with the policies of the design set in one place: nothing is acknowledged before it is done.

Services use `subscribe` to read, `Producer` to write and `DeadLetters` to bury; nobody builds a client of their own.
"""

from shared.kafka.consume import GaveUp, make_broker, run_broker, subscribe
from shared.kafka.dead import DeadLetters, TooManyDead
from shared.kafka.hear import hear
from shared.kafka.produce import Producer, ProducerBroken, RecordTooLarge, partition_of
from shared.kafka.publish import publish_or_bury
from shared.kafka.record import Record, Reference
from shared.kafka.topics import apply_topics, check_topics

__all__ = [
    "DeadLetters",
    "GaveUp",
    "Producer",
    "ProducerBroken",
    "Record",
    "RecordTooLarge",
    "Reference",
    "TooManyDead",
    "apply_topics",
    "check_topics",
    "hear",
    "make_broker",
    "partition_of",
    "publish_or_bury",
    "run_broker",
    "subscribe",
]
