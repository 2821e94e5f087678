"""The join phase of a fleet: paced join-requests, and another try for whoever is not answered."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic

import msgspec

from simulators.device import Device

_ANSWER_S = 7.0  # JOIN_ACCEPT_DELAY2 and the longest join-accept


class Attempt(msgspec.Struct):
    """A device that is not joined yet."""

    device: Device
    tries: int = 0
    give_up_at: float = 0.0  # monotonic seconds


async def join_all(
    devices: Sequence[Device], send: Callable[[Device, int], None], rate: float, attempts: int, stopping: asyncio.Event
) -> int:
    """Send join-requests (`send` gets device and try) until all have joined or used their tries; gives how many."""
    todo = deque(Attempt(device) for device in devices)
    waiting: deque[Attempt] = deque()
    sent = 0
    next_at = monotonic()
    while (todo or waiting) and not stopping.is_set():
        now = monotonic()
        while todo and now >= next_at:
            attempt = todo.popleft()
            send(attempt.device, attempt.tries)
            sent += 1
            attempt.tries += 1
            attempt.give_up_at = now + _ANSWER_S
            waiting.append(attempt)
            next_at = max(next_at + 1 / rate, now - 0.1)
        while waiting and (waiting[0].device.session is not None or waiting[0].give_up_at <= now):
            attempt = waiting.popleft()
            if attempt.device.session is None and attempt.tries < attempts:
                todo.append(attempt)
        await asyncio.sleep(0.01)
    return sent
