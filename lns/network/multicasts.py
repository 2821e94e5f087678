"""Multicast groups: queues of downlinks, and frames through the fewest gateways that reach every member."""

import asyncio
import uuid
from collections.abc import Callable, Iterable
from functools import partial

from lns.lorawan.airtime import airtime_us
from lns.lorawan.regions import region
from lns.mac import class_c
from lns.mac.choice import Need
from lns.mac.ledger import APPLICATION_SHARE
from lns.mac.multicast import Group, MulticastDownlink
from lns.mac.queue import FHDR_OCTETS, FPORT_OCTETS
from lns.mac.slots import Clock, Slot, When
from lns.mac.turns import Frame, Reach, reach, schedule
from lns.network.clocks import Clocks
from lns.network.devices import Devices
from lns.network.listening import RETRY_S
from lns.network.notices import Notices
from lns.network.radios import Radios
from lns.network.sender import Chance, Sender, Sending
from lns.network.state import NetworkState
from lns.registry.rows import MulticastSnapshot

_OTHER_OCTETS = 5 + FHDR_OCTETS + FPORT_OCTETS
"""Of a frame beside its payload: MHDR and MIC too."""
MAX_QUEUE = 64
"""Downlinks that may wait for one group."""
_KEY_OCTETS = 16

_FCNT = "UPDATE multicast_group SET fcnt = ? WHERE id = ?"
_DOWNLINK = (
    "INSERT INTO multicast_downlink (id, group_id, fport, payload, state, reason, enqueued_at_us, expires_at_us, at_us,"
    " fcnt, updated_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason, fcnt = excluded.fcnt,"
    " updated_at_us = excluded.updated_at_us"
)


class Multicasts:
    """All groups in memory."""

    def __init__(
        self,
        state: NetworkState,
        devices: Devices,
        radios: Radios,
        sender: Sender,
        notices: Notices,
        share: Callable[[str, float], float],
        clocks: Clocks,
    ) -> None:
        self._state, self._devices, self._radios = state, devices, radios
        self._sender, self._notices, self._share, self._clocks = sender, notices, share, clocks
        self._groups: dict[int, Group] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._free_at: dict[int, float] = {}

    def load(self, snapshot: MulticastSnapshot, wanted: Iterable[int] | None = None) -> None:
        """Take groups from the registry; of the `wanted` ones those that are not there any more are dropped."""
        found = {row.id for row in snapshot.groups}
        for group_id in set(self._groups if wanted is None else wanted) - found:
            self._groups.pop(group_id, None)
            self._cancel(group_id)
        for row in snapshot.groups:
            known = self._groups.get(row.id)
            keys = (row.keys[:_KEY_OCTETS], row.keys[_KEY_OCTETS : 2 * _KEY_OCTETS])
            group = Group(row.id, region(row.region), row.mc_addr, keys, (row.freq_hz, row.dr))
            group.name, group.device_class, group.periodicity = row.name, row.device_class, row.ping_periodicity
            group.expires_at_us, group.fcnt = row.expires_at_us, row.fcnt
            group.members = set(snapshot.members.get(row.id, ()))
            if known is not None:  # memory is ahead of the file
                group.fcnt, group.waiting = max(group.fcnt, known.fcnt), known.waiting
            self._groups[row.id] = group
        if wanted is None:
            for item in snapshot.downlinks:
                self._groups[item.group_id].waiting.append(item)
        for group_id in found:
            self._arm(group_id, 0.0)

    def enqueue(
        self, group_id: int, fport: int, payload: bytes, expires_at_us: int | None, at_us: int | None
    ) -> MulticastDownlink:
        """Queue a downlink. KeyError: no such group; ValueError: it can never be sent, with the limit."""
        group, now_us = self._groups[group_id], self._clocks.utc_us()
        refusal = group.refusal(fport, payload, now_us)
        if refusal is None and len(group.waiting) >= MAX_QUEUE:
            refusal = f"{len(group.waiting)} downlinks wait for the group, at most {MAX_QUEUE} may"
        if refusal is not None:
            raise ValueError(refusal)
        item = MulticastDownlink(str(uuid.uuid4()), group_id, fport, payload, now_us, expires_at_us, at_us)
        group.waiting.append(item)
        self._keep(item)
        self._arm(group_id, 0.0)
        return item

    def _keep(self, item: MulticastDownlink) -> None:
        content = (item.id, item.group_id, item.fport, item.payload, item.state, item.reason)
        times = (item.enqueued_at_us, item.expires_at_us, item.at_us, item.fcnt, self._clocks.utc_us())
        self._state.multicast(_DOWNLINK, (*content, *times))
        self._notices.touch()

    def _cancel(self, group_id: int) -> None:
        timer = self._timers.pop(group_id, None)
        if timer is not None:
            timer.cancel()

    def _arm(self, group_id: int, delay_s: float) -> None:
        """Look at a group after so long, and not before its last frame is over: the next one would want its slots."""
        self._cancel(group_id)
        delay_s = max(delay_s, self._free_at.get(group_id, 0.0) - self._clocks.monotonic(), 0.0)
        self._timers[group_id] = asyncio.get_running_loop().call_later(delay_s, self._decide, group_id)

    def _decide(self, group_id: int) -> None:
        """Send the next downlink of a group, or wait for its time."""
        self._timers.pop(group_id, None)
        group, when = self._groups.get(group_id), self._clocks.read()
        if group is None:
            return
        ahead_us = int(class_c.HAND_OVER_S * 2e6)
        item, closed = group.choose(when.utc_us + ahead_us)
        for gone in closed:
            self._keep(gone)
        if item is None:
            later = min((waiting.at_us for waiting in group.waiting if waiting.at_us is not None), default=None)
            if later is not None:
                self._arm(group_id, when.at_utc(later) - when.now - ahead_us / 1e6)
            return
        self._try(group, item, when)

    def _try(self, group: Group, item: MulticastDownlink, when: Clock) -> None:
        """Send a downlink now, or put it back when nobody can."""
        heard = self._heard(group)
        facts = self._radios.facts({eui for around in heard.values() for eui, _ in around}, when.now)
        airtime = airtime_us(group.tuning.modulation, len(item.payload) + _OTHER_OCTETS, False)
        frame = Frame(group, airtime, When(when, 0.0, item.at_us))
        found = reach(frame, heard, facts, self._radios.ledger)
        slots = schedule(frame, found.turns, facts, self._radios.plan)
        missed = _missed(found, self._devices)
        if not slots:
            group.waiting.appendleft(item.to("queued", missed or "no gateway can send it now"))
            self._keep(group.waiting[0])
            self._arm(group.id, RETRY_S)
            return
        self._free_at[group.id] = max(slot.start for slot in slots) + airtime / 1e6
        self._send(group, item.to("sent", missed or None, group.fcnt), slots)
        self._arm(group.id, 0.0)

    def _heard(self, group: Group) -> dict[int, tuple[tuple[str, float], ...]]:
        """The gateways around each member."""
        heard: dict[int, tuple[tuple[str, float], ...]] = {}
        for device_id in group.members:
            device = self._devices.by_id.get(device_id)
            session = None if device is None else device.session
            heard[device_id] = () if session is None else self._radios.around(session)
        return heard

    def _send(self, group: Group, item: MulticastDownlink, slots: list[Slot]) -> None:
        """One frame with one counter through every gateway of the cover, each in its turn."""
        frame = group.build(item, group.fcnt)
        group.fcnt += 1
        self._state.multicast(_FCNT, (group.fcnt, group.id))
        self._keep(item)
        share = self._share(group.region.name, APPLICATION_SHARE)
        flight = _Flight(item, len(slots))
        for slot in slots:
            sending = Sending("multicast", None, frame, list[Chance]([slot]), Need(group.region, len(frame), share))
            sending.fcnt_down = item.fcnt
            sending.done = partial(self._settled, flight)
            self._sender.put(sending)

    def _settled(self, flight: "_Flight", sending: Sending, chance: Chance | None, problem: str) -> None:
        """A gateway has the frame or will not send it; without any it goes again later, with another counter."""
        flight.left -= 1
        if chance is None:
            flight.problems.append(problem)
        else:
            flight.taken = True
        group = self._groups.get(flight.item.group_id)
        if flight.left or not flight.problems or group is None:
            return
        why = "; ".join([*([flight.item.reason] if flight.item.reason else []), *flight.problems])
        if flight.taken:
            self._keep(flight.item.to("sent", why))
        else:
            group.waiting.appendleft(flight.item.to("queued", why))
            self._keep(group.waiting[0])
            self._arm(group.id, RETRY_S)


class _Flight:
    """A downlink on its way through so many gateways: those `left` to answer, whether one has `taken` it."""

    __slots__ = ("item", "left", "problems", "taken")

    def __init__(self, item: MulticastDownlink, gateways: int) -> None:
        self.item, self.left = item, gateways
        self.taken = False
        self.problems: list[str] = []


def _missed(found: Reach, devices: Devices) -> str:
    """Who will not hear the frame, in words."""
    parts = []
    for what, members in (("heard by no gateway", found.unheard), ("no airtime left for", found.without_airtime)):
        if members:
            known = [devices.by_id[member].dev_eui for member in members[:3] if member in devices.by_id]
            parts.append(f"{what}: {len(members)} member(s) ({', '.join(known)})")
    return "; ".join(parts)
