"""The shared pause, under the name that the router's modules ask for."""

from shared.pausing import sleep_or_stop

__all__ = ["sleep_or_stop"]
