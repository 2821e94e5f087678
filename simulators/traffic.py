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
from simulators.radio import PROMPT, Radio, Uniform
from simulators.rxpk import Tails

JOIN = -1
"""The uplink number of a join-request."""

_ASKS = encode_command("LinkCheckReq", uplink=True) + encode_command("DeviceTimeReq", uplink=True)
_RX2_AFTER_RX1_S = 1.0
_RETRY_S = 1.0  # after the second window, plus up to two seconds (ACK_TIMEOUT is 2 s +/- 1 s)


class Frame(msgspec.Struct, frozen=True, gc=False):
    """An uplink ready to be sent: who hears it on which channel, as (gateway, rest of its rxpk, delays)."""

    device: int
    fcnt: int
    counter: int
    confirmed: bool
    asks: bool
    phy: bytes
    channel: Channel
    dr: int
    copies: list[tuple[int, bytes, tuple[float, ...]]]


class Repetition(msgspec.Struct, frozen=True):
    """A frame that is sent again unless it is answered by then."""

    frame: Frame
    uplink: int
    left: int


class Traffic:
    """The sender. `counts` are its part of the summary."""

    def __init__(
        self,
        options: FleetOptions,
        devices: Sequence[Device],
        gateways: Sequence[Gateway],
        ledger: Ledger,
        air: Air,
        radio: Radio,
        clock: Clock,
        uniform: Uniform,
    ) -> None:
        self.counts = {"copies": 0, "joins_sent": 0, "retransmissions": 0, "lost_by_radio": 0, "asks_sent": 0}
        self.quiet_at = 0.0  # when the last answer that somebody waits for is due, in monotonic seconds
        self._options = options
        self._devices = devices
        self._gateways = gateways
        self._ledger, self._air, self._radio = ledger, air, radio
        self._clock, self._uniform = clock, uniform
        region = devices[0].mac.plan.region
        self._tails = Tails(region)
        self._counters = [0] * len(devices)
        self._newest = [JOIN] * len(devices)  # uplink of each device
        self._turn = 0
        self._hop = 0
        self._prepared: deque[Frame] = deque()
        self._delayed: list[tuple[float, int, int, int, bytes, int]] = []
        self._repetitions: list[tuple[float, int, Repetition]] = []
        self._order = count()

    @property
    def in_flight(self) -> int:
        """Datagrams that wait for their PUSH_ACK."""
        return sum([len(gateway.pending) for gateway in self._gateways])

    @property
    def busy(self) -> bool:
        """Whether anything is still on its way, up or down."""
        waits = bool(self._delayed or self._repetitions or self.in_flight)
        return waits or any(gateway.scheduled for gateway in self._gateways) or monotonic() < self.quiet_at

    def start(self, counters: Sequence[int]) -> None:
        """Set the payload counter of each device."""
        self._counters = list(counters)

    def prepare(self, uplinks: int) -> None:
        """Make the next frames now; `send` takes them as they are."""
        self._prepared.extend(self._make() for _ in range(uplinks))

    def send(self) -> None:
        """Send the next uplink."""
        frame = self._prepared.popleft() if self._prepared else self._make()
        uplink = self._ledger.add_uplink(
            frame.device, frame.fcnt, frame.counter, frame.confirmed, self._transmit(frame, len(self._ledger))
        )
        assert uplink == len(self._ledger) - 1
