"""Which lead of the play shows what: the stories that a network must be able to tell. Pure."""

from collections.abc import Sequence

from deploy.demo.journey import Journey

STORIES = {
    "12-form-declined.json": "declined, and on to the next",
    "14-form-silent.json": "a store that stayed silent",
    "15-form-full.json": "a store that was full",
    "23-form-closed-site.json": "a store with its doors closed",
    "24-form-across-water.json": "a nearer store across the water",
    "26-app-same-person.json": "the same person again: one store calls",
    "17-form-city-recruiting.json": "a city that is still recruiting",
}
"""What there is to see in the lead of each of these files, in the order in which they are told."""


def what_to_look_at(journeys: Sequence[Journey]) -> list[str]:
    """One line for each story that was played, with the command that explains it."""
    by_file = {journey.file: journey for journey in journeys}
    return [f"  waypost lead {by_file[file].lead_id}  # {what}" for file, what in STORIES.items() if file in by_file]
