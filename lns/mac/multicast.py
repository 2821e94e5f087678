"""Multicast groups: one frame for many devices of class B or C. Which gateways send it is decided in `turns`. Pure.

A group's frames are those of a 1.0 session under McNwkSKey and McAppSKey: unconfirmed, without MAC commands, for 1.1
devices too (TS005). Times are UTC in microseconds.
"""

from collections import deque

import msgspec

from lns.lorawan.crypto import DOWN, DataMic, PayloadCipher
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.phy import MType, build_data
from lns.lorawan.regions.region import Region
from lns.mac.ping import PingSlots
from lns.mac.queue import FHDR_OCTETS, FPORT_OCTETS
from lns.mac.slots import tuning

MAX_FCNT = 0xFFFF_FFFF


class MulticastDownlink(msgspec.Struct, frozen=True):
    """A downlink of a group. `state` is queued, sent, expired, failed or deleted; `at_us` None: at once."""

    id: str
    group_id: int
    fport: int
    payload: bytes
    enqueued_at_us: int
    expires_at_us: int | None = None
    at_us: int | None = None
    state: str = "queued"
    reason: str | None = None
    fcnt: int | None = None

    def to(self, state: str, reason: str | None = None, fcnt: int | None = None) -> "MulticastDownlink":
        """The same downlink in another state."""
        return msgspec.structs.replace(self, state=state, reason=reason, fcnt=self.fcnt if fcnt is None else fcnt)


class Group:
    """A group as the network serves it. `fcnt` is the next FCntDown to use; `periodicity` is that of class B."""

    __slots__ = (
        "_cipher",
        "_mic",
        "device_class",
        "expires_at_us",
        "fcnt",
        "id",
        "mc_addr",
        "members",
        "name",
        "periodicity",
        "region",
        "tuning",
        "waiting",
    )

    def __init__(
        self, group_id: int, region: Region, mc_addr: str, keys: tuple[bytes, bytes], tuned: tuple[int, int]
    ) -> None:
        """`keys` are McNwkSKey and McAppSKey, `tuned` frequency and data rate; errors as `tuning`."""
        self.id, self.region, self.mc_addr = group_id, region, mc_addr
        self._mic, self._cipher = DataMic(keys[0]), PayloadCipher(keys[1])
        self.tuning = tuning(region, *tuned)
        self.name = ""
        self.device_class = "C"
        self.periodicity: int | None = None
        self.fcnt = 0
        self.expires_at_us: int | None = None
        self.members: set[int] = set()
        self.waiting: deque[MulticastDownlink] = deque()

    @property
    def ping_slots(self) -> PingSlots:
        """Where and when a group of class B listens: at its own address's slots, on its own frequency."""
        assert self.periodicity is not None
        return PingSlots(self.mc_addr, self.periodicity, self.tuning.dr, self.tuning.freq_hz)

    @property
    def max_payload(self) -> int:
        """Octets that fit into a frame at the group's data rate."""
        return self.tuning.room - FHDR_OCTETS - FPORT_OCTETS

    def refusal(self, fport: int, payload: bytes, now_us: int) -> str | None:
        """Why a downlink cannot be queued; None when it can."""
        if not 1 <= fport <= 223:
            return f"fport is {fport}, applications use 1 to 223"
        if len(payload) > self.max_payload:
            return (
                f"payload is {len(payload)} octets, at most {self.max_payload} fit at dr {self.tuning.dr} of the group"
            )
        return self.ended(now_us)

    def ended(self, now_us: int) -> str | None:
        """Why the group can send nothing any more; None while it can."""
        if self.expires_at_us is not None and self.expires_at_us <= now_us:
            return "the group has expired"
        if self.fcnt > MAX_FCNT:
            return f"all {MAX_FCNT + 1} frame counters of the group are used, it needs new keys"
        return None

    def choose(self, now_us: int) -> tuple[MulticastDownlink | None, list[MulticastDownlink]]:
        """Take the next downlink out of the queue, and those that cannot go any more, in their last state."""
        closed = []
        reason = self.ended(now_us)
        for item in list(self.waiting):
            if reason is not None:
                closed.append(item.to("failed", reason))
            elif item.expires_at_us is not None and item.expires_at_us <= now_us:
                closed.append(item.to("expired", "expired before it could be sent"))
            else:
                continue
            self.waiting.remove(item)
        for item in self.waiting:
            if item.at_us is None or item.at_us <= now_us:
                self.waiting.remove(item)
                return item, closed
        return None, closed

    def build(self, item: MulticastDownlink, fcnt: int) -> bytes:
        """The encrypted and signed PHYPayload; the caller advances `fcnt`."""
        address = dev_addr_le(self.mc_addr)
        data = self._cipher.apply(item.payload, address, fcnt, DOWN) if item.payload else b""
        message = build_data(MType.UNCONFIRMED_DOWN, self.mc_addr, 0, fcnt, b"", item.fport, data)
        return message + self._mic.mic(message, address, fcnt, DOWN)
