"""The policy that Waypost brings along: a sound start, meant to be copied and changed."""

from importlib import resources


def default_policy_text() -> str:
    """The text of `default_policy.toml`."""
    return (resources.files("services.router") / "default_policy.toml").read_text(encoding="utf-8")
