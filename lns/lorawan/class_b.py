"""Class B arithmetic: beacons, and when a device listens between them.

Times are GPS time, which has no leap seconds: seconds of beacons, milliseconds of ping slots. Chapters are those of the
LoRaWAN 1.1 specification; the beacon sizes of each region are in RP002.
"""

from binascii import crc_hqx

import msgspec

from lns.lorawan.crypto import encrypt_blocks
from lns.lorawan.errors import FrameError
from lns.lorawan.ids import dev_addr_le

# Chapter 13.1, table 18. A beacon starts TBeaconDelay, 1.5 ms, after its time (chapter 15.4): that is less than a
# symbol of any beacon, and the slot times below do not have it.
BEACON_PERIOD_S = 128
BEACON_PERIOD_MS = 128_000
BEACON_RESERVED_MS = 2_120
BEACON_GUARD_MS = 3_000
PING_SLOT_MS = 30
PING_SLOTS = 4_096


class Beacon(msgspec.Struct, frozen=True):
    """What a beacon tells: its time, modulo 2**32, and in 7 octets what only the gateway that sent it knows.

    `param` was RFU in 1.1; since TS001-1.0.4 its lower bits are the precision of the time. `gw_specific` is None where
    its own checksum is wrong: gateways send the rest in unison, but this part collides.
    """

    time_gps_s: int
    param: int
    gw_specific: bytes | None

    @property
    def position_deg(self) -> tuple[float, float] | None:
        """Latitude and longitude of the gateway's antenna, where it sent them (chapter 15.3.1)."""
        if self.gw_specific is None or self.gw_specific[0] > 2:
            return None
        latitude = int.from_bytes(self.gw_specific[1:4], "little", signed=True)
        longitude = int.from_bytes(self.gw_specific[4:7], "little", signed=True)
        return latitude * 90 / 2**23, longitude * 180 / 2**23


# Octets of RFU before Param and after GwSpecific, by the size of the whole: SF9; SF10 in CN470, SF8 in IN865; SF12.
_LAYOUTS = {17: ((1, 0),), 19: ((2, 1), (0, 3)), 23: ((4, 3),)}


def parse_beacon(payload: bytes) -> Beacon:
    """The beacon in `payload`, in whichever layout its checksums are right; FrameError when it is in none."""
    layouts = _LAYOUTS.get(len(payload))
    if layouts is None:
        raise FrameError("malformed", f"beacon is {len(payload)} octets, 17, 19 or 23 are needed")
    read = []
    for rfu1, _ in layouts:
        common, rest = payload[: rfu1 + 5], payload[rfu1 + 5 :]
        if _crc(common) == rest[:2]:
            gw_specific = rest[2:9] if _crc(rest[2:-2]) == rest[-2:] else None
            read.append(Beacon(int.from_bytes(common[-4:], "little"), common[rfu1], gw_specific))
    if not read:
        raise FrameError("mic", "the checksum of the beacon is wrong")
    return next((beacon for beacon in read if beacon.gw_specific is not None), read[0])


def build_beacon(beacon: Beacon, rfu1: int, rfu2: int) -> bytes:
    """The octets of a beacon with `rfu1` unused octets before Param and `rfu2` after GwSpecific, as a region has them.

    A `gw_specific` of None is sent as zeros, a position on the equator.
    """
    time = (beacon.time_gps_s & 0xFFFF_FFFF).to_bytes(4, "little")
    common = bytes(rfu1) + bytes((beacon.param,)) + time
    specific = (beacon.gw_specific or bytes(7)) + bytes(rfu2)
    return common + _crc(common) + specific + _crc(specific)


def _crc(octets: bytes) -> bytes:
    """CRC-16 with polynomial x16 + x12 + x5 + 1 from zero, as on air (chapter 15.2)."""
    return crc_hqx(octets, 0).to_bytes(2, "little")


def beacon_time_gps_s(gps_ms: float) -> int:
    """The time of the beacon whose period an instant falls into."""
    return int(gps_ms // BEACON_PERIOD_MS) * BEACON_PERIOD_S


def ping_nb(periodicity: int) -> int:
    """Ping slots in a beacon period (chapter 14.1); `periodicity` is 0 to 7."""
    return 1 << (7 - periodicity)


def ping_period(periodicity: int) -> int:
    """Slots of 30 ms from one ping slot to the next (chapter 14.1)."""
    return 1 << (5 + periodicity)


def ping_offset(beacon_time_gps_s: int, dev_addr: str, periodicity: int) -> int:
    """The first ping slot of a beacon period, a number of slots below `ping_period` (chapter 13.2)."""
    time = (beacon_time_gps_s & 0xFFFF_FFFF).to_bytes(4, "little")
    rand = encrypt_blocks(bytes(16), time + dev_addr_le(dev_addr) + bytes(8))
    return (rand[0] + 256 * rand[1]) % ping_period(periodicity)


def ping_slots_gps_ms(beacon_time_gps_s: int, dev_addr: str, periodicity: int) -> list[int]:
    """When the ping slots of a beacon period start, all of them (chapter 13.2)."""
    offset = ping_offset(beacon_time_gps_s, dev_addr, periodicity)
    window = 1000 * beacon_time_gps_s + BEACON_RESERVED_MS
    return [window + PING_SLOT_MS * slot for slot in range(offset, PING_SLOTS, ping_period(periodicity))]


def next_ping_slot_gps_ms(after_gps_ms: float, dev_addr: str, periodicity: int) -> int:
    """When the first ping slot starts that starts at `after_gps_ms` or later."""
    beacon = beacon_time_gps_s(after_gps_ms)
    first = 1000 * beacon + BEACON_RESERVED_MS + PING_SLOT_MS * ping_offset(beacon, dev_addr, periodicity)
    step = PING_SLOT_MS * ping_period(periodicity)
    passed = max(0, -int((first - after_gps_ms) // step))
    if passed < ping_nb(periodicity):
        return first + passed * step
    following = beacon + BEACON_PERIOD_S
    return 1000 * following + BEACON_RESERVED_MS + PING_SLOT_MS * ping_offset(following, dev_addr, periodicity)
