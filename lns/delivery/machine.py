"""The life of a delivery, as a table, and the one step that decides what an attempt leads to. Pure.

`in_flight` is never written: a killed process leaves the row as it was, and the message is sent again.
"""

from collections.abc import Mapping
from enum import Enum

import msgspec

from lns.delivery.outcome import Outcome, Verdict
from lns.delivery.schedule import Schedule, next_wait_s


class State(Enum):
    """Where a delivery stands."""

    PENDING = "pending"
    IN_FLIGHT = "in_flight"
    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    DROPPED = "dropped"


class Step(Enum):
    """What may happen to it."""

    CLAIM = "claim"
    SUCCEED = "succeed"
    FAIL = "fail"
    GIVE_UP = "give_up"
    WAKE = "wake"
    REPLAY = "replay"
    DROP = "drop"


TABLE: Mapping[State, Mapping[Step, State]] = {
    State.PENDING: {Step.CLAIM: State.IN_FLIGHT, Step.DROP: State.DROPPED},
    State.IN_FLIGHT: {
        Step.SUCCEED: State.DELIVERED,
        Step.FAIL: State.WAITING,
        Step.GIVE_UP: State.DEAD,
        Step.DROP: State.DROPPED,
    },
    State.WAITING: {Step.CLAIM: State.IN_FLIGHT, Step.WAKE: State.PENDING, Step.DROP: State.DROPPED},
    State.DELIVERED: {Step.REPLAY: State.PENDING},
    State.DEAD: {Step.REPLAY: State.PENDING, Step.DROP: State.DROPPED},
    State.DROPPED: {},
}

OPEN = (State.PENDING, State.WAITING)
"""The states of rows that are still to be sent."""

ENDED = (State.DELIVERED, State.DEAD, State.DROPPED)
"""The states of rows that are the log of what was."""


class Facts(msgspec.Struct, frozen=True):
    """What the decision needs of a delivery: attempts and refusals before this one, and when the first of them was.

    `first_us` says nothing where there was none: what has waited for a pause or a breaker has all its time ahead.
    """

    attempts: int
    refusals: int
    first_us: int


class Settled(msgspec.Struct, frozen=True):
    """Where an attempt has led. `next_us` counts in `waiting` only; `reason` says why a delivery is dead."""

    state: State
    attempts: int
    refusals: int
    next_us: int = 0
    reason: str = ""


def states_that(step: Step) -> tuple[State, ...]:
    """The states in which a step is possible."""
    return tuple(state for state, steps in TABLE.items() if step in steps)


def settle(facts: Facts, outcome: Outcome, schedule: Schedule, chance: float, now_us: int) -> Settled:
    """What becomes of a delivery after an attempt; `chance` is a random number from 0 up to 1."""
    attempts = facts.attempts + 1
    refusals = facts.refusals + (outcome.verdict is Verdict.REFUSED)
    after = TABLE[State.IN_FLIGHT]
    if outcome.verdict is Verdict.DELIVERED:
        return Settled(after[Step.SUCCEED], attempts, refusals)
    if outcome.verdict is Verdict.GONE:
        return Settled(after[Step.GIVE_UP], attempts, refusals, reason="gone")
    if refusals >= schedule.refusals:
        return Settled(after[Step.GIVE_UP], attempts, refusals, reason="refused")
    wait_s = next_wait_s(schedule, attempts, chance, outcome.retry_after_s)
    if wait_s is None:
        return Settled(after[Step.GIVE_UP], attempts, refusals, reason="attempts")
    next_us = now_us + round(wait_s * 1e6)
    first_us = facts.first_us if facts.attempts else now_us
    if next_us > first_us + round(schedule.deadline_s * 1e6):
        return Settled(after[Step.GIVE_UP], attempts, refusals, reason="deadline")
    return Settled(after[Step.FAIL], attempts, refusals, next_us)
