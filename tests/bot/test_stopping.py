import asyncio

import pytest

from bot.stopping import StopSwitch, TurnStopped


async def test_pressing_ends_the_work_at_its_next_await() -> None:
    switch = StopSwitch()
    with pytest.raises(TurnStopped):
        async with switch.watching():
            asyncio.get_running_loop().call_soon(switch.press)
            await asyncio.Event().wait()


async def test_a_switch_pressed_before_lets_nothing_begin() -> None:
    switch = StopSwitch()
    switch.press()
    with pytest.raises(TurnStopped):
        async with switch.watching():
            await asyncio.Event().wait()


async def test_work_that_is_done_is_not_disturbed() -> None:
    switch = StopSwitch()
    async with switch.watching():
        await asyncio.sleep(0)
    switch.press()
    await asyncio.sleep(0)


async def test_a_time_out_of_the_work_itself_stays_a_time_out() -> None:
    switch = StopSwitch()
    with pytest.raises(TimeoutError):
        async with switch.watching():
            raise TimeoutError


async def test_a_shutdown_is_not_taken_for_a_stop() -> None:
    switch, started = StopSwitch(), asyncio.Event()

    async def work() -> None:
        async with switch.watching():
            started.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(work())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
