"""How large a record may be, in one place: what topics take, what we publish, what a dead letter can hold."""

MAX_MESSAGE_BYTES = 1_048_588
"""`max.message.bytes` of every topic: Kafka's own default, written down so that another broker default shows."""
MAX_DEAD_MESSAGE_BYTES = 2 * 1024 * 1024
"""The same of dead-letter topics: they hold a whole record in base64, a third more than its bytes."""
RECORD_OVERHEAD_BYTES = 24
"""More than the format adds to a record of ours: six numbers of 1 to 4 bytes and an attribute byte
(https://kafka.apache.org/documentation/#record)."""
BATCH_OVERHEAD_BYTES = 61
"""The header of a batch (https://kafka.apache.org/documentation/#recordbatch)."""
LARGEST_RECORD_BYTES = MAX_MESSAGE_BYTES - BATCH_OVERHEAD_BYTES - RECORD_OVERHEAD_BYTES
"""Key and value of a record that we publish."""
LARGEST_DEAD_LETTER_BYTES = MAX_DEAD_MESSAGE_BYTES - BATCH_OVERHEAD_BYTES - RECORD_OVERHEAD_BYTES
"""Key and value of a dead letter."""
LARGEST_BURIED_BYTES = 1_500_000
"""Key, value and headers of a record that is buried with its bytes: in base64 2,000,000, which leaves room for the
envelope. Every uncompressed record of a topic is smaller; a compressed one may unpack to any size."""
LARGEST_DEAD_KEY_BYTES = 256
"""A key longer than this is none of ours; it is kept in the dead letter and not made its key."""


def largest_record(topic: str) -> int:
    """Most bytes of key and value together that we publish on a topic (contract name)."""
    return LARGEST_DEAD_LETTER_BYTES if topic.endswith(".dead") else LARGEST_RECORD_BYTES
