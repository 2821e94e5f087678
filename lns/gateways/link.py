"""One gateway as the server knows it: its state, its addresses, its counts. Pure; `now` is monotonic seconds."""

from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

import msgspec

from lns.gateways.rxpk import GatewayStat
from lns.mac.frames import TxOutcome

Address = tuple[Any, ...]
"""A socket address: host, port, and for IPv6 two numbers more."""

NEVER = float("-inf")

_SMOOTHING = 1 / 8
"""Weight of the newest round trip, as TCP smooths its own."""


class State(StrEnum):
    """Seen gateways are acknowledged and listed, accepted ones served, blocked ones not even answered."""

    SEEN = "seen"
    ACCEPTED = "accepted"
    BLOCKED = "blocked"


class Path(IntEnum):
    """A gateway's two sockets: PUSH_DATA comes from one, PULL_DATA and TX_ACK from the other."""

    PUSH = 0
    PULL = 1


class Limit(StrEnum):
    """Why a datagram is dropped unread."""

    FLOODING = "flooding"
    ADDRESS_CHANGE = "address_change"
    BLOCKED = "blocked"


class Rate:
    """So many a second, and as many at once."""

    __slots__ = ("_due", "_interval_s", "_slack_s")

    def __init__(self, per_s: float) -> None:
        self._interval_s = 1 / per_s
        # half an interval keeps rounding from losing the last of the burst
        self._slack_s = 1 - self._interval_s / 2
        self._due = NEVER

    def allows(self, now: float) -> bool:
        """Take one, if there is one."""
        due = self._due if self._due > now else now
        if due > now + self._slack_s:
            return False
        self._due = due + self._interval_s
        return True


class Link:
    """State of one gateway. `pull_address` None: it has not asked for downlinks yet."""

    __slots__ = (
        "address_changes",
        "datagrams",
        "downlinks",
        "eui",
        "first_seen_at_us",
        "hosts",
        "last_pull_at_us",
        "last_seen_at_us",
        "limited",
        "moved_at",
        "problems",
        "pull_address",
        "push_address",
        "rate",
        "region",
        "reported_at",
        "round_trip_ms",
        "stat",
        "state",
        "uplinks",
        "version",
    )

    def __init__(self, eui: str, state: State, rate: Rate, region: str | None = None) -> None:
        self.eui, self.state, self.rate, self.region = eui, state, rate, region
        self.version: int | None = None
        self.hosts: list[str | None] = [None, None]
        self.push_address: Address | None = None
        self.pull_address: Address | None = None
        self.moved_at = NEVER
        self.reported_at: dict[Limit, float] = {}
        self.first_seen_at_us: int | None = None
        self.last_seen_at_us: int | None = None
        self.last_pull_at_us: int | None = None
        self.round_trip_ms: float | None = None
        self.stat: GatewayStat | None = None
        self.datagrams = self.uplinks = self.address_changes = 0
        self.downlinks = {"sent": 0, "accepted": 0, "refused": 0, "unknown": 0}
        self.limited: dict[Limit, int] = {}
        self.problems: dict[str, int] = {}

    @property
    def label(self) -> str:
        """The gateway's name in metrics: strangers share one, so that nobody can invent labels."""
        return "unknown" if self.state is State.SEEN else self.eui

    def pulled(self, address: Address, version: int, at_us: int) -> None:
        """A PULL_DATA came: downlinks go where it came from."""
        self.pull_address, self.version, self.last_pull_at_us = address, version, at_us

    def pushed(self, receptions: int, stat: GatewayStat | None, problems: list[str]) -> None:
        """A PUSH_DATA was read."""
        self.uplinks += receptions
        if stat is not None:
            self.stat = stat
        for problem in problems:
            self.problems[problem] = self.problems.get(problem, 0) + 1

    def answered(self, outcome: TxOutcome | None, round_trip_ms: float | None) -> None:
        """What became of a PULL_RESP; without a TX_ACK there is neither outcome nor round trip."""
        self.downlinks["unknown" if outcome is None else "accepted" if outcome.accepted else "refused"] += 1
        if round_trip_ms is None:
            return
        if self.round_trip_ms is None:
            self.round_trip_ms = round_trip_ms
        else:
            self.round_trip_ms += (round_trip_ms - self.round_trip_ms) * _SMOOTHING

    def snapshot(self) -> dict[str, Any]:
        """Everything that people may want to see, ready for JSON."""
        return {
            "eui": self.eui,
            "state": self.state.value,
            "region": self.region,
            "protocol_version": self.version,
            "address": _text(self.pull_address or self.push_address),
            "push_address": _text(self.push_address),
            "pull_address": _text(self.pull_address),
            "first_seen_at": _instant(self.first_seen_at_us),
            "last_seen_at": _instant(self.last_seen_at_us),
            "last_pull_at": _instant(self.last_pull_at_us),
            "round_trip_ms": None if self.round_trip_ms is None else round(self.round_trip_ms, 3),
            "datagrams": self.datagrams,
            "uplinks": self.uplinks,
            "downlinks": dict(self.downlinks),
            "problems": dict(self.problems),
            "limited": {limit.value: count for limit, count in self.limited.items()},
            "address_changes": self.address_changes,
            "stat": None if self.stat is None else msgspec.to_builtins(self.stat),
        }


def _text(address: Address | None) -> str | None:
    if address is None:
        return None
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _instant(at_us: int | None) -> str | None:
    if at_us is None:
        return None
    whole = datetime.fromtimestamp(at_us // 1_000_000, UTC).replace(microsecond=at_us % 1_000_000)
    return whole.isoformat().replace("+00:00", "Z")
