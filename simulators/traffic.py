"""Makes the uplinks of a fleet and brings them to the gateways: now, late, twice, and again where no answer came."""

from base64 import b64encode
from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count
from time import monotonic

import msgspec

from lns.lorawan.commands import encode_command
from lns.lorawan.regions.region import Channel
from simulators import payloads
from simulators.air import Air
from simulators.clock import Clock
from simulators.device import Device
from simulators.gateway_udp import Gateway
from simulators.ledger import Ledger
from simulators.options import FleetOptions
from simulators.radio import Radio, Uniform
from simulators.rejoins import Rejoins
from simulators.rxpk import Tails

JOIN = -1
"""The uplink number of a join-request."""

_ASKS = encode_command("LinkCheckReq", uplink=True) + encode_command("DeviceTimeReq", uplink=True)
_AFTER_RX1_S = 1.5  # the second window and a little more

Copies = list[tuple[int, bytes, tuple[float, ...]]]
"""Gateway, rest of its rxpk, delays in seconds."""


class World(msgspec.Struct, frozen=True):
    """The parts of a running fleet.

    `uniform` decides what uplinks are like; `chance` when something is repeated and what a nonce is: how many of these
    are drawn depends on the clock, and must not change the uplinks. `counters` are the next payload counters.
    """

    options: FleetOptions
    devices: Sequence[Device]
    gateways: Sequence[Gateway]
    ledger: Ledger
    air: Air
    radio: Radio
    clock: Clock
    uniform: Uniform
    chance: Uniform
    counters: list[int]


class Frame(msgspec.Struct, frozen=True, gc=False):
    """An uplink that is ready to be sent."""

    device: int
    fcnt: int
    counter: int
    confirmed: bool
    phy: bytes
    channel: Channel
    dr: int
    copies: Copies


class Repetition(msgspec.Struct, frozen=True, gc=False):
    """A frame that is sent `left` more times unless it is answered or the device sends something new."""

    device: int
    uplink: int
    phy: bytes
    left: int


class Traffic:
    """The sender. `counts` are its part of the summary."""

    def __init__(self, world: World) -> None:
        self.counts = {"copies": 0, "joins_sent": 0, "rejoins_sent": 0, "retransmissions": 0}
        self.counts |= {"lost_by_radio": 0, "asks_sent": 0}
        self.quiet_at = 0.0  # when the last answer that a device waits for is due, in monotonic seconds
        self._world = world
        self._options, self._ledger, self._radio = world.options, world.ledger, world.radio
        self._gateways = world.gateways
        self._tails = Tails(world.devices[0].mac.plan.region)
        self.devices: list[Device] = []  # that take their turn
        self._newest = [JOIN] * len(world.devices)  # uplink of each device
        self._turn = 0
        self._hop = 0
        self.prepared: deque[Frame] = deque()
        self._delayed: list[tuple[float, int, int, int, bytes, int]] = []
        self._repetitions: list[tuple[float, int, Repetition]] = []
        self._order = count()
        self._rejoins: dict[int, tuple[object, Rejoins]] = {}  # by device, for the session it has now

    @property
    def in_flight(self) -> int:
        """Datagrams that wait for their PUSH_ACK."""
        return sum([len(gateway.pending) for gateway in self._gateways])

    @property
    def delayed(self) -> bool:
        """Whether copies are still on their way."""
        return bool(self._delayed)

    @property
    def unsent(self) -> bool:
        """Whether copies or repetitions are still to be sent."""
        return bool(self._delayed or self._repetitions)

    def start(self) -> None:
        """From now on every device that has a session takes its turn."""
        self.devices = [device for device in self._world.devices if device.session is not None]

    def prepare(self, uplinks: int) -> None:
        """Make the next frames now; `send` takes them as they are."""
        self.prepared.extend([self._make() for _ in range(uplinks)])

    def send(self) -> None:
        """Send the next uplink."""
        frame = self.prepared.popleft() if self.prepared else self._make()
        end_us = self._world.clock.unique_us()
        uplink = self._ledger.add_uplink(frame.device, frame.fcnt, frame.counter, frame.confirmed, end_us)
        self._newest[frame.device] = uplink
        if not frame.copies:
            self.counts["lost_by_radio"] += 1
        self._transmit(end_us, frame.device, uplink, frame.channel, frame.dr, frame.copies)
        device = self._world.devices[frame.device]
        left = self._options.retries if frame.confirmed else device.mac.nb_trans - 1
        if left:
            self._repeat_later(Repetition(frame.device, uplink, frame.phy, left))

    def send_join(self, device: Device, attempt: int) -> None:
        """Send a join-request."""
        options = self._options
        if device.firmware.version.counts_dev_nonces:
            nonce = options.first_dev_nonce + attempt
        else:
            nonce = int(self._world.chance() * 0x10000)
        channel, dr = device.join_hop(self._next_hop())
        copies = self._copies(device, device.join_request(nonce), channel, dr)
        self.counts["joins_sent"] += 1
        self._transmit(self._world.clock.unique_us(), device.number, JOIN, channel, dr, copies)

    def release(self, now: float) -> None:
        """Send what is due by `now`, monotonic seconds; no window holds it back: a stale copy looks like a replay."""
        while self._delayed and self._delayed[0][0] <= now:
            _, _, gateway, end_us, tail, uplink = heappop(self._delayed)
            self._gateways[gateway].push(end_us, tail, uplink)
        while self._repetitions and self._repetitions[0][0] <= now:
            self._repeat(heappop(self._repetitions)[2])

    def _make(self) -> Frame:
        device = self._next_device()
        number = device.number
        session = device.session
        assert session is not None
        if session.minor:
            self._rejoin_if_due(device)
        options = self._options
        counter = self._world.counters[number]
        self._world.counters[number] = counter + 1
        confirmed = options.confirmed_share > 0 and self._world.uniform() < options.confirmed_share
        asks = b""
        if options.ask_share and self._world.uniform() < options.ask_share:
            asks = _ASKS
            self.counts["asks_sent"] += 1
        fcnt = session.fcnt_up
        phy = device.uplink(payloads.FPORT, payloads.reading(number, counter), confirmed, asks)
        if confirmed or asks or device.adr:
            self.quiet_at = monotonic() + device.window_s(join=False) + _AFTER_RX1_S
        channel, dr = device.hop(self._next_hop()), device.mac.data_rate
        if session.minor:
            phy = device.on_channel(channel)
        return Frame(number, fcnt, counter, confirmed, phy, channel, dr, self._copies(device, phy, channel, dr))

    def _rejoin_if_due(self, device: Device) -> None:
        """Send the rejoin-request that the network asked for, and let an uplink follow."""
        now_us = self._world.clock.now_us()
        session, rejoins = self._rejoins.get(device.number, (None, Rejoins(device.mac, now_us)))
        if session is not device.session:
            rejoins = Rejoins(device.mac, now_us)
            self._rejoins[device.number] = device.session, rejoins
        due = rejoins.due(now_us)
        rejoins.uplink()
        if due is None:
            return
        rejoins.sent(now_us, 32 * self._world.chance())
        phy, channel = device.rejoin_request(due[0]), device.hop(self._next_hop())
        dr = device.mac.data_rate
        self.counts["rejoins_sent"] += 1
        copies = self._copies(device, phy, channel, dr)
        self._transmit(self._world.clock.unique_us(), device.number, JOIN, channel, dr, copies)

    def _next_device(self) -> Device:
        urgent = self._world.air.urgent
        if urgent and not self._options.prepare:
            return urgent.popleft()
        self._turn = turn = (self._turn + 1) % len(self.devices)
        return self.devices[turn]

    def _next_hop(self) -> int:
        self._hop += 1
        return self._hop

    def _copies(self, device: Device, phy: bytes, channel: Channel, dr: int) -> Copies:
        tail, data, size = self._tails.tail, b64encode(phy), len(phy)
        return [
            (copy.gateway, tail(channel, dr, copy.rssi_dbm, copy.snr_db, data, size), copy.delays_s)
            for copy in self._radio.receive(device.number)
        ]

    def _transmit(self, end_us: int, device: int, uplink: int, channel: Channel, dr: int, copies: Copies) -> None:
        self._ledger.add_transmission(end_us, device, uplink, channel, dr)
        self.counts["copies"] += len(copies)
        heard_by = 0
        for gateway, tail, delays_s in copies:
            heard_by |= 1 << gateway
            for delay_s in delays_s:
                if delay_s == 0:
                    self._gateways[gateway].push(end_us, tail, uplink)
                else:
                    due = monotonic() + delay_s
                    heappush(self._delayed, (due, next(self._order), gateway, end_us, tail, uplink))
        if uplink != JOIN:
            self._ledger.heard(uplink, heard_by)

    def _repeat_later(self, repetition: Repetition) -> None:
        # ACK_TIMEOUT: 1 to 3 s after the second window
        windows_s = self._world.devices[repetition.device].window_s(join=False) + 1
        due = monotonic() + windows_s + 1 + 2 * self._world.chance()
        heappush(self._repetitions, (due, next(self._order), repetition))

    def _repeat(self, repetition: Repetition) -> None:
        uplink = repetition.uplink
        if self._ledger.is_answered(uplink) or self._newest[repetition.device] != uplink:
            return
        device = self._world.devices[repetition.device]
        session = device.session
        channel, dr = device.hop(self._next_hop()), device.mac.data_rate
        phy = device.on_channel(channel) if session is not None and session.minor else repetition.phy
        copies = self._copies(device, phy, channel, dr)
        self.counts["retransmissions"] += 1
        self._transmit(self._world.clock.unique_us(), device.number, uplink, channel, dr, copies)
        self.quiet_at = monotonic() + device.window_s(join=False) + _AFTER_RX1_S
        if repetition.left > 1:
            left = repetition.left - 1
            self._repeat_later(Repetition(repetition.device, uplink, repetition.phy, left))
