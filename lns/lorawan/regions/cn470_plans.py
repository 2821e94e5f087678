"""CN470-510 as it is since RP002-1.0.1: four plans for antennas of 20 and 26 MHz, chosen by the join channel.

DR0 is left out: it may carry nothing. Class B of the 20 MHz plans is LoRaMac-node's, which alone has it.
"""

from lns.lorawan.modulation import Fsk, Lora
from lns.lorawan.regions.region import Band, Channel, ClassB, DataRate, JoinChannel, Region

_BOTH = (
    DataRate(1, Lora(11, 125_000), 31),
    DataRate(2, Lora(10, 125_000), 94),
    DataRate(3, Lora(9, 125_000), 192),
    DataRate(4, Lora(8, 125_000), 250),
    DataRate(5, Lora(7, 125_000), 250),
    DataRate(6, Lora(7, 500_000), 250),
    DataRate(7, Fsk(50_000), 250),
)

_RX1_DR: dict[int, tuple[int, ...]] = {
    1: (1, 1, 1, 1, 1, 1),
    2: (2, 1, 1, 1, 1, 1),
    3: (3, 2, 1, 1, 1, 1),
    4: (4, 3, 2, 1, 1, 1),
    5: (5, 4, 3, 2, 1, 1),
    6: (6, 5, 4, 3, 2, 1),
    7: (7, 6, 5, 4, 3, 2),
}


def _channels(first_hz: int, count: int) -> tuple[int, ...]:
    return tuple(first_hz + 200_000 * n for n in range(count))


def _class_b(beacon_freqs_hz: tuple[int, ...], ping_slot_freqs_hz: tuple[int, ...]) -> ClassB:
    return ClassB(
        beacon_freqs_hz=beacon_freqs_hz,
        beacon_dr=2,
        beacon_size=19,
        beacon_rfu1=2,
        beacon_rfu2=1,
        ping_slot_freqs_hz=ping_slot_freqs_hz,
        ping_slot_dr=2,
    )


def _plan(
    name: str, up_hz: tuple[int, ...], down_hz: tuple[int, ...], joins: tuple[JoinChannel, ...], abp: JoinChannel
) -> Region:
    """A plan; a device activated by personalisation has RX2, and here class B, of the join channel `abp`."""
    assert abp.class_b is not None
    return Region(
        name=name,
        plan="fixed",
        max_channels=len(up_hz),
        uplink_channels=tuple(Channel(n, freq_hz, 1, 5) for n, freq_hz in enumerate(up_hz)),
        downlink_channels_hz=down_hz,
        uplink_rates=_BOTH,
        downlink_rates=_BOTH,
        rx1_dr=_RX1_DR,
        rx2_freq_hz=abp.rx2_freq_hz,
        rx2_dr=1,
        bands=(Band(470_000_000, 510_000_000, 1.0, 16.0),),  # limit 19.15 dBm, see CN470
        max_eirp_dbm=19.15,
        max_adr_dr=5,
        join_drs=(1, 2, 3, 4, 5),
        common_join_channels=joins,
        class_b=abp.class_b,
    )


# 20 MHz, A: each join channel has eight downlink channels for its beacons and ping slots.
_UP_20A_HZ = _channels(470_300_000, 32) + _channels(503_500_000, 32)
_DOWN_20A_HZ = _channels(483_900_000, 64)
_JOINS_20A = tuple(
    JoinChannel(*row, _class_b(_DOWN_20A_HZ[8 * n : 8 * n + 8], _DOWN_20A_HZ[8 * n : 8 * n + 8]))
    for n, row in enumerate(
        (
            (470_900_000, 484_500_000, 485_300_000),
            (472_500_000, 486_100_000, 486_900_000),
            (474_100_000, 487_700_000, 488_500_000),
            (475_700_000, 489_300_000, 490_100_000),
            (504_100_000, 490_900_000, 491_700_000),
            (505_700_000, 492_500_000, 493_300_000),
            (507_300_000, 494_100_000, 494_900_000),  # LoRaMac-node has 494.0, off the grid of 1.6 MHz
            (508_900_000, 495_700_000, 496_500_000),
        )
    )
)
CN470_20A = _plan("CN470-20A", _UP_20A_HZ, _DOWN_20A_HZ, _JOINS_20A, _JOINS_20A[1])

# 20 MHz, B: up and down are the same channels; each half has a beacon and 32 ping slot channels.
_LOW_20B_HZ, _HIGH_20B_HZ = _channels(476_900_000, 32), _channels(496_900_000, 32)
_JOINS_20B = (
    JoinChannel(479_900_000, 479_900_000, 478_300_000, _class_b((481_500_000,), _LOW_20B_HZ)),
    JoinChannel(499_900_000, 499_900_000, 498_300_000, _class_b((501_500_000,), _HIGH_20B_HZ)),
)
CN470_20B = _plan("CN470-20B", _LOW_20B_HZ + _HIGH_20B_HZ, _LOW_20B_HZ + _HIGH_20B_HZ, _JOINS_20B, _JOINS_20B[1])

# 26 MHz, A and B: RX1 and RX2 of all joins, and RX2 of all sessions, are on one frequency.
_CLASS_B_26A = _class_b((494_900_000,), (494_900_000,))
_JOINS_26A = tuple(JoinChannel(470_300_000 + 2_000_000 * n, 492_500_000, 492_500_000, _CLASS_B_26A) for n in range(5))
CN470_26A = _plan("CN470-26A", _channels(470_300_000, 48), _channels(490_100_000, 24), _JOINS_26A, _JOINS_26A[0])

_CLASS_B_26B = _class_b((504_900_000,), (504_900_000,))
_JOINS_26B = tuple(JoinChannel(480_300_000 + 2_000_000 * n, 502_500_000, 502_500_000, _CLASS_B_26B) for n in range(5))
CN470_26B = _plan("CN470-26B", _channels(480_300_000, 48), _channels(500_100_000, 24), _JOINS_26B, _JOINS_26B[0])
