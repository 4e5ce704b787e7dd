"""The life of a service process: one failing part ends the others in order, a hanging one cannot keep it alive."""

import asyncio
import subprocess
import sys

import pytest

from shared.process import run_together

_PROGRAM = """
import asyncio
import shared.process as process
from shared.errors import UserError

process.STOP_WITHIN_S = 0.5

async def fails():
    raise {failure}

async def finishes(stop):
    await stop.wait()
    print("finished what was in flight", flush=True)

async def hangs():
    await asyncio.Event().wait()

async def main(stop):
    await process.run_together(stop, process.run_together(stop, fails()), finishes(stop), {third})

raise SystemExit(process.run(main))
"""


def _run(failure: str, third: str) -> subprocess.CompletedProcess[str]:
    program = _PROGRAM.format(failure=failure, third=third)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)


async def test_a_part_that_fails_lets_the_others_finish_and_is_then_reported() -> None:
    stop, finished = asyncio.Event(), []

    async def fails() -> None:
        raise LookupError("the first to fail")

    async def finishes() -> None:
        await stop.wait()
        await asyncio.sleep(0)
        finished.append("batch")

    with pytest.raises(ExceptionGroup) as raised:
        await run_together(stop, finishes(), fails())
    assert finished == ["batch"]
    assert [str(error) for error in raised.value.exceptions] == ["the first to fail"]


async def test_parts_that_end_by_themselves_leave_the_others_running() -> None:
    stop, order = asyncio.Event(), []

    async def ends() -> None:
        order.append("ended")

    async def goes_on() -> None:
        await asyncio.sleep(0.01)
        order.append(f"stop is {stop.is_set()}")

    await run_together(stop, ends(), goes_on())
    assert order == ["ended", "stop is False"]


async def test_to_cancel_the_whole_cancels_every_part() -> None:
    cancelled = []

    async def waits(name: str) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(name)
            raise

    whole = asyncio.create_task(run_together(asyncio.Event(), waits("a"), waits("b")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    whole.cancel()
    with pytest.raises(asyncio.CancelledError):
        await whole
    assert cancelled == ["a", "b"]


def test_a_user_error_of_any_part_is_one_line_with_its_hint_and_the_process_ends_with_1() -> None:
    ended = _run("UserError('the port is taken', 'set another')", "finishes(stop)")
    assert ended.returncode == 1
    assert "the port is taken" in ended.stdout + ended.stderr
    assert "set another" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    assert ended.stdout.count("finished what was in flight") == 2


def test_a_process_whose_part_hangs_after_a_failure_is_ended_hard() -> None:
    ended = _run("LookupError('broken')", "hangs()")
    assert ended.returncode == 75
    assert "process.stop_timed_out" in ended.stdout + ended.stderr
