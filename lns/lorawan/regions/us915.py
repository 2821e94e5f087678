"""US902-928, RP002-1.0.4. Data rate numbers mean different things up and down."""

from lns.lorawan.modulation import Lora, LrFhss
from lns.lorawan.regions.region import Band, Channel, ClassB, DataRate, Region, power_steps

_DOWNLINK_CHANNELS_HZ = tuple(923_300_000 + 600_000 * n for n in range(8))

US915 = Region(
    name="US915",
    plan="fixed",
    max_channels=72,
    uplink_channels=(
        *(Channel(n, 902_300_000 + 200_000 * n, 0, 3) for n in range(64)),
        *(Channel(64 + n, 903_000_000 + 1_600_000 * n, 4, 6) for n in range(8)),
    ),
    downlink_channels_hz=_DOWNLINK_CHANNELS_HZ,
    uplink_rates=(
        DataRate(0, Lora(10, 125_000), 19),
        DataRate(1, Lora(9, 125_000), 61),
        DataRate(2, Lora(8, 125_000), 133),
        DataRate(3, Lora(7, 125_000), 250),
        DataRate(4, Lora(8, 500_000), 250),
        DataRate(5, LrFhss(1_523_000, "1/3"), 58),
        DataRate(6, LrFhss(1_523_000, "2/3"), 133),
    ),
    downlink_rates=(
        DataRate(8, Lora(12, 500_000), 61),
        DataRate(9, Lora(11, 500_000), 137),
        DataRate(10, Lora(10, 500_000), 250),
        DataRate(11, Lora(9, 500_000), 250),
        DataRate(12, Lora(8, 500_000), 250),
        DataRate(13, Lora(7, 500_000), 250),
    ),
    rx1_dr={
        0: (10, 9, 8, 8),
        1: (11, 10, 9, 8),
        2: (12, 11, 10, 9),
        3: (13, 12, 11, 10),
        4: (13, 13, 12, 11),
        5: (10, 9, 8, 8),
        6: (11, 10, 9, 8),
    },
    rx2_freq_hz=923_300_000,
    rx2_dr=8,
    bands=(Band(902_000_000, 928_000_000, 1.0, 27.0),),  # limit 30 dBm; 27 is the top of gateways' power tables
    max_eirp_dbm=30.0,
    tx_power_offsets_db=power_steps(14),
    max_adr_dr=3,
    join_drs=(0, 4),
    class_b=ClassB(
        beacon_freqs_hz=_DOWNLINK_CHANNELS_HZ,
        beacon_dr=8,
        beacon_size=23,
        beacon_rfu1=4,
        beacon_rfu2=3,
        ping_slot_freqs_hz=_DOWNLINK_CHANNELS_HZ,
        ping_slot_dr=8,
    ),
)
