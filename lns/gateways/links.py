"""All gateways, and who of them may speak: acceptance, flood and address limits. Pure; `now` is monotonic seconds.

A gateway is who its EUI says, for the protocol has no other proof. So nobody may take more than its share of time,
memory or metric labels, and nobody may take over a gateway's address more than once per hold time.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec

from lns import metrics
from lns.config import Udp
from lns.gateways.link import NEVER, Address, Limit, Link, Path, Rate, State

MAX_STRANGERS = 10_000
"""Most gateways remembered that nobody accepted; the one silent for longest goes first."""

MAX_NEW_STRANGERS_PER_S = 1000

# kept: on Python 3.11 an enum member by name costs 0.2 us, and this is paid for every datagram
_BLOCKED, _PUSH = State.BLOCKED, Path.PUSH

REPORT_EVERY_S = 10.0
"""A limit that keeps being hit is reported this often per gateway."""


class Happening(StrEnum):
    """What of a gateway is worth telling people."""

    SEEN = "seen"
    ADDRESS_CHANGED = "address_changed"
    ADDRESS_REFUSED = "address_refused"
    FLOODING = "flooding"


class GatewayEvent(msgspec.Struct, frozen=True):
    """Something that happened to a gateway. `previous_address` is set where the address is or would be a new one."""

    happening: Happening
    gateway_eui: str
    state: State
    at_us: int
    address: str
    previous_address: str | None = None


class Links:
    """Every gateway that was accepted, blocked or heard."""

    def __init__(self, config: Udp) -> None:
        self._per_s = config.max_datagrams_per_s
        self._hold_s = config.address_change_hold_s
        self._accept_all = config.accept_unknown_gateways
        self._known: dict[bytes, Link] = {}
        self._strangers: OrderedDict[bytes, Link] = OrderedDict()
        self._strangers_rate = Rate(self._per_s)
        self._newcomers_rate = Rate(MAX_NEW_STRANGERS_PER_S)
        self._newcomers_reported_at = NEVER
        self.events: list[GatewayEvent] = []

    # --- who is who

    def load(self, accepted: Iterable[tuple[str, str | None]]) -> None:
        """Accept gateways given as EUI and region."""
        for eui, region in accepted:
            self.accept(eui, region)

    def accept(self, eui: str, region: str | None = None) -> None:
        """Serve a gateway from now on."""
        self._settle(eui, State.ACCEPTED).region = region

    def block(self, eui: str) -> None:
        """Drop all that a gateway sends, unanswered."""
        self._settle(eui, State.BLOCKED)

    def forget(self, eui: str) -> None:
        """Make a gateway a stranger, who is listed again when it calls."""
        key = bytes.fromhex(eui)
        self._known.pop(key, None)
        self._strangers.pop(key, None)

    def _settle(self, eui: str, state: State) -> Link:
        key = bytes.fromhex(eui)
        link = self._known.get(key) or self._strangers.pop(key, None)
        if link is None:
            link = Link(key.hex(), state, Rate(self._per_s))
        elif link.rate is self._strangers_rate:
            link.rate = Rate(self._per_s)
        link.state = state
        self._known[key] = link
        return link

    # --- the way in

    def admit(self, key: bytes, path: Path, address: Address, now: float, at_us: int) -> Link | Limit:
        """The gateway that sent a datagram, `key` being its EUI's octets; or why the datagram is dropped unread."""
        link = self._known.get(key)
        if link is None:
            link = self._stranger(key, address, now, at_us)
            if link is None:
                return Limit.FLOODING
        if link.state is _BLOCKED:
            return self._limit(link, Limit.BLOCKED)
        if not link.rate.allows(now):
            self._report(link, Limit.FLOODING, Happening.FLOODING, address, now, at_us)
            return self._limit(link, Limit.FLOODING)
        if link.hosts[path] != address[0] and not self._may_come_from(link, path, address, now, at_us):
            return self._limit(link, Limit.ADDRESS_CHANGE)
        if path is _PUSH:
            link.push_address = address
        if link.first_seen_at_us is None:
            link.first_seen_at_us = at_us
        link.last_seen_at_us = at_us
        link.datagrams += 1
        return link

    def _stranger(self, key: bytes, address: Address, now: float, at_us: int) -> Link | None:
        """A gateway that nobody accepted; None when more new ones come than can be looked at."""
        link = self._strangers.get(key)
        if link is not None:
            self._strangers.move_to_end(key)
            return link
        state = State.ACCEPTED if self._accept_all else State.SEEN
        # those who are not served share one rate: a thousand invented EUIs get no more than one
        link = Link(key.hex(), state, Rate(self._per_s) if self._accept_all else self._strangers_rate)
        if not self._newcomers_rate.allows(now):
            metrics.gateway_limited.inc("unknown", Limit.FLOODING.value)
            if now - self._newcomers_reported_at >= REPORT_EVERY_S:
                self._newcomers_reported_at = now
                self._tell(link, Happening.FLOODING, address, at_us)
            return None
        self._strangers[key] = link
        if len(self._strangers) > MAX_STRANGERS:
            self._strangers.popitem(last=False)
        self._tell(link, Happening.SEEN, address, at_us)
        return link

    def _may_come_from(self, link: Link, path: Path, address: Address, now: float, at_us: int) -> bool:
        """Follow a gateway to another host, once per hold time.

        The port does not count: the two sockets have two, and NAT gives new ones. A host that the other socket uses is
        no change either, be it that the second socket follows a move or that carrier-grade NAT gave them two hosts.
        """
        host, hosts = address[0], link.hosts
        if host not in hosts and any(hosts):
            previous = hosts[path] or hosts[1 - path]
            if now - link.moved_at < self._hold_s:
                self._report(link, Limit.ADDRESS_CHANGE, Happening.ADDRESS_REFUSED, address, now, at_us, previous)
                return False
            link.moved_at = now
            link.address_changes += 1
            self._tell(link, Happening.ADDRESS_CHANGED, address, at_us, previous)
        hosts[path] = host
        return True

    def _limit(self, link: Link, limit: Limit) -> Limit:
        link.limited[limit] = link.limited.get(limit, 0) + 1
        metrics.gateway_limited.inc(link.label, limit.value)
        return limit

    def _report(
        self,
        link: Link,
        limit: Limit,
        happening: Happening,
        address: Address,
        now: float,
        at_us: int,
        previous: str | None = None,
    ) -> None:
        """Tell of a limit that was hit, if that was not done just now."""
        if now - link.reported_at.get(limit, NEVER) >= REPORT_EVERY_S:
            link.reported_at[limit] = now
            self._tell(link, happening, address, at_us, previous)

    def _tell(
        self, link: Link, happening: Happening, address: Address, at_us: int, previous: str | None = None
    ) -> None:
        self.events.append(GatewayEvent(happening, link.eui, link.state, at_us, address[0], previous))

    def take_events(self) -> list[GatewayEvent]:
        """What happened since the last call."""
        events, self.events = self.events, []
        return events

    # --- what is known

    def get(self, eui: str) -> Link | None:
        """A gateway that was accepted, blocked or heard."""
        key = bytes.fromhex(eui)
        return self._known.get(key) or self._strangers.get(key)

    def region(self, eui: str) -> str | None:
        """The region a gateway was accepted with; None when it has none of its own."""
        link = self.get(eui)
        return None if link is None else link.region

    def all(self) -> list[Link]:
        """Accepted and blocked gateways, then strangers, the one heard last at the end."""
        return [*self._known.values(), *self._strangers.values()]

    def snapshot(self) -> list[dict[str, Any]]:
        """All gateways, ready for JSON."""
        return [link.snapshot() for link in self.all()]

    def by_state(self) -> Iterable[tuple[tuple[str, ...], float]]:
        """Gateways by state, as a gauge reads them."""
        counted = Counter(link.state for link in self.all())
        return [((state.value,), counted[state]) for state in State]

    def round_trips(self) -> Iterable[tuple[tuple[str, ...], float]]:
        """Smoothed round trips in ms of the gateways that have one, as a gauge reads them."""
        return [((link.eui,), link.round_trip_ms) for link in self.all() if link.round_trip_ms is not None]
