"""Whether a device or gateway is there, told from when it was heard. Pure; every instant is UTC microseconds.

What is expected of it is the median of its last gaps, so that a lost frame or an outage does not change it. It is
offline after several expected frames have not come; after a return it takes longer, until it has been heard steadily:
one at the edge of reception does not raise an alarm with every frame.
"""

from enum import StrEnum
from statistics import median_low

import msgspec


class State(StrEnum):
    """BACK is online too: heard again, not yet steadily."""

    ONLINE = "online"
    OFFLINE = "offline"
    BACK = "back"


class Happening(StrEnum):
    """What can happen to a health."""

    HEARD = "heard"
    HEARD_STEADILY = "heard_steadily"
    SILENT = "silent"


STEPS: dict[State, dict[Happening, State]] = {
    State.ONLINE: {
        Happening.HEARD: State.ONLINE,
        Happening.HEARD_STEADILY: State.ONLINE,
        Happening.SILENT: State.OFFLINE,
    },
    State.OFFLINE: {Happening.HEARD: State.BACK},
    State.BACK: {
        Happening.HEARD: State.BACK,
        Happening.HEARD_STEADILY: State.ONLINE,
        Happening.SILENT: State.OFFLINE,
    },
}


class Rules(msgspec.Struct, frozen=True):
    """When silence means offline."""

    gaps_kept: int = 9  # the median of these is what is expected
    least_gaps: int = 3  # before that many, nothing is expected
    missed: int = 3  # expected frames that do not come
    missed_after_return: int = 6
    steady_after: int = 3  # frames after a return
    least_silence_us: int = 300_000_000
    silence_unlearned_us: int = 90_000_000_000  # 25 h: most devices report daily at least


DEVICE_RULES = Rules()
# A gateway reports its statistics every 30 s; its uplinks come in between, and say nothing of when the next will.
GATEWAY_RULES = Rules(least_silence_us=120_000_000, silence_unlearned_us=120_000_000)


class Health(msgspec.Struct, frozen=True, array_like=True):
    """What is known of one; `since_us` is when its present time online or offline began.

    `online_us` is the time online before `since_us`, `steady` the frames since it came back.
    """

    state: State
    first_seen_us: int
    last_seen_us: int
    since_us: int
    gaps_us: tuple[int, ...] = ()
    steady: int = 0
    online_us: int = 0
    outages: int = 0


class Change(msgspec.Struct, frozen=True):
    """A health that people want to hear of: online (for the first time), offline, back; `silent_us` before it."""

    state: State
    at_us: int
    silent_us: int


def heard(health: Health | None, at_us: int, rules: Rules) -> tuple[Health, Change | None]:
    """Something came of it; what was heard before the last frame changes nothing."""
    if health is None:
        return Health(State.ONLINE, at_us, at_us, at_us), Change(State.ONLINE, at_us, 0)
    gap_us = at_us - health.last_seen_us
    if gap_us <= 0:
        return health, None
    steady = 0 if health.state is State.OFFLINE else health.steady + 1
    happening = Happening.HEARD_STEADILY if steady >= rules.steady_after else Happening.HEARD
    returned = health.state is State.OFFLINE
    after = msgspec.structs.replace(
        health,
        state=STEPS[health.state][happening],
        last_seen_us=at_us,
        since_us=max(at_us, health.since_us) if returned else health.since_us,
        gaps_us=(*health.gaps_us, gap_us)[-rules.gaps_kept :],
        steady=min(steady, rules.steady_after),
    )
    return after, Change(after.state, at_us, gap_us) if returned else None


def expire(health: Health, now_us: int, rules: Rules, listening_us: int = 0) -> tuple[Health, Change | None]:
    """Offline when it was silent for too long; silence before `listening_us` was ours, not its."""
    end_us = deadline_us(health, rules, listening_us)
    if end_us is None or now_us < end_us:
        return health, None
    after = msgspec.structs.replace(
        health,
        state=STEPS[health.state][Happening.SILENT],
        since_us=end_us,
        steady=0,
        online_us=health.online_us + end_us - health.since_us,
        outages=health.outages + 1,
    )
    return after, Change(after.state, end_us, end_us - health.last_seen_us)


def deadline_us(health: Health, rules: Rules, listening_us: int = 0) -> int | None:
    """When it is offline unless it is heard before; None: it is offline."""
    if health.state is State.OFFLINE:
        return None
    return max(health.last_seen_us, listening_us) + silence_us(health, rules)


def expected_us(health: Health, rules: Rules) -> int | None:
    """The usual time between two frames; None: not known yet."""
    return median_low(health.gaps_us) if len(health.gaps_us) >= rules.least_gaps else None


def silence_us(health: Health, rules: Rules) -> int:
    """How long it may be silent."""
    expected = expected_us(health, rules)
    if expected is None:
        return rules.silence_unlearned_us
    missed = rules.missed_after_return if health.state is State.BACK else rules.missed
    return max(missed * expected, rules.least_silence_us)


def uptime(health: Health, now_us: int) -> float:
    """The share of the time since it was first seen in which it was online."""
    known_us = now_us - health.first_seen_us
    if known_us <= 0:
        return 1.0
    online_us = health.online_us
    if health.state is not State.OFFLINE:
        online_us += max(now_us - health.since_us, 0)
    return min(online_us / known_us, 1.0)
