"""The engine's ledger agrees with a plain one, whatever happens to few sites with small limits, step after step."""

from random import Random

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.services.router.ledger_lives import Lives

MOST_STEPS = 60


# Each step has a chance of its own, so that a life that fails stays the same while hypothesis leaves out its steps.
# How quickly examples are drawn says something about the machine only.
@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**64), happens=st.binary(min_size=MOST_STEPS, max_size=MOST_STEPS))
def test_two_ledgers_that_hear_the_same_agree_after_every_poll(seed: int, happens: bytes) -> None:
    lives = Lives(Random(seed))
    for place, does_happen in enumerate(happens):
        if does_happen > 50:
            note(lives.step(Random(f"{seed}:{place}")))
    lives.a_router_polls(Random(0))
