"""One webhook attempt, for tests of what the other side can do to it."""

from uuid import uuid4

from services.store_notifier.channels.webhook import Webhook
from shared.signatures import make_secret

SECRET = make_secret(bytes(range(32)))
OTHER_SECRET = make_secret(bytes(range(32, 64)))


def attempt_at(url: str, *, secrets: tuple[str, ...] = (SECRET,), body: bytes = b'{"test": "\xe5\xba\x97"}') -> Webhook:
    """An attempt to push `body` to `url`."""
    return Webhook(uuid4(), uuid4(), 1, url, secrets, body, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
