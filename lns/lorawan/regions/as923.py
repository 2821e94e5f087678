"""The four groups of AS923, RP002-1.0.4: one plan at four offsets, AS923-1 is the AS923 of older revisions."""

from lns.lorawan.modulation import Fsk, Lora
from lns.lorawan.regions.region import Band, Channel, ClassB, DataRate, Region

_BOTH = (
    DataRate(0, Lora(12, 125_000), 59, None),
    DataRate(1, Lora(11, 125_000), 59, None),
    DataRate(2, Lora(10, 125_000), 123, 19),
    DataRate(3, Lora(9, 125_000), 123, 61),
    DataRate(4, Lora(8, 125_000), 250, 133),
    DataRate(5, Lora(7, 125_000), 250),
    DataRate(6, Lora(7, 250_000), 250),
    DataRate(7, Fsk(50_000), 250),
)

# Offsets 6 and 7 mean -1 and -2: RX1 is faster than the uplink.
_RX1_DR: dict[int, tuple[int, ...]] = {
    0: (0, 0, 0, 0, 0, 0, 1, 2),
    1: (1, 0, 0, 0, 0, 0, 2, 3),
    2: (2, 1, 0, 0, 0, 0, 3, 4),
    3: (3, 2, 1, 0, 0, 0, 4, 5),
    4: (4, 3, 2, 1, 0, 0, 5, 6),
    5: (5, 4, 3, 2, 1, 0, 6, 7),
    6: (6, 5, 4, 3, 2, 1, 7, 7),
    7: (7, 6, 5, 4, 3, 2, 7, 7),
}

_RX1_DR_DWELL: dict[int, tuple[int, ...]] = {
    0: (2, 2, 2, 2, 2, 2, 2, 2),
    1: (2, 2, 2, 2, 2, 2, 2, 3),
    2: (2, 2, 2, 2, 2, 2, 3, 4),
    3: (3, 2, 2, 2, 2, 2, 4, 5),
    4: (4, 3, 2, 2, 2, 2, 5, 6),
    5: (5, 4, 3, 2, 2, 2, 6, 7),
    6: (6, 5, 4, 3, 2, 2, 7, 7),
    7: (7, 6, 5, 4, 3, 2, 7, 7),
}


def _group(name: str, offset_hz: int, min_hz: int, max_hz: int) -> Region:
    second_hz = 923_400_000 + offset_hz
    return Region(
        name=name,
        plan="dynamic",
        uplink_channels=(Channel(0, 923_200_000 + offset_hz, 0, 5), Channel(1, second_hz, 0, 5)),
        uplink_rates=_BOTH,
        downlink_rates=_BOTH,
        rx1_dr=_RX1_DR,
        rx1_dr_dwell=_RX1_DR_DWELL,
        rx2_freq_hz=923_200_000 + offset_hz,
        rx2_dr=2,
        bands=(Band(min_hz, max_hz, 0.01, 16.0),),
        max_eirp_dbm=16.0,
        max_adr_dr=5,
        join_drs=(2, 3, 4, 5),
        has_tx_param_setup=True,
        uplink_dwell_400ms=True,
        downlink_dwell_400ms=True,
        class_b=ClassB(beacon_freqs_hz=(second_hz,), beacon_dr=3, ping_slot_freqs_hz=(second_hz,), ping_slot_dr=3),
    )


AS923_1 = _group("AS923-1", 0, 915_000_000, 928_000_000)
AS923_2 = _group("AS923-2", -1_800_000, 920_000_000, 923_000_000)
AS923_3 = _group("AS923-3", -6_600_000, 915_000_000, 921_000_000)
AS923_4 = _group("AS923-4", -5_900_000, 917_000_000, 920_000_000)
