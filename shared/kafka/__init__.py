"""Kafka, with the policies of the design set in one place: nothing is acknowledged before it is done.

Services use `subscribe` to read, `Producer` to write and `DeadLetters` to bury; nobody builds a client of their own.
"""

from shared.kafka.consume import Record, make_broker, run_broker, subscribe
from shared.kafka.dead import DeadLetters, TooManyDead
from shared.kafka.hear import hear
from shared.kafka.produce import Producer, ProducerBroken, partition_of
from shared.kafka.topics import apply_topics, check_topics

__all__ = [
    "DeadLetters",
    "Producer",
    "ProducerBroken",
    "Record",
    "TooManyDead",
    "apply_topics",
    "check_topics",
    "hear",
    "make_broker",
    "partition_of",
    "run_broker",
    "subscribe",
]
