"""AU915-928, RP002-1.0.4. Data rate numbers mean different things up and down."""

from lns.lorawan.modulation import Lora, LrFhss
from lns.lorawan.regions.region import Band, Channel, ClassB, DataRate, Region, power_steps

_DOWNLINK_CHANNELS_HZ = tuple(923_300_000 + 600_000 * n for n in range(8))

AU915 = Region(
    name="AU915",
    plan="fixed",
    max_channels=72,
    uplink_channels=(
        *(Channel(n, 915_200_000 + 200_000 * n, 0, 5) for n in range(64)),
        *(Channel(64 + n, 915_900_000 + 1_600_000 * n, 6, 7) for n in range(8)),
    ),
    downlink_channels_hz=_DOWNLINK_CHANNELS_HZ,
    uplink_rates=(
        DataRate(0, Lora(12, 125_000), 59, None),
        DataRate(1, Lora(11, 125_000), 59, None),
        DataRate(2, Lora(10, 125_000), 59, 19),
        DataRate(3, Lora(9, 125_000), 123, 61),
        DataRate(4, Lora(8, 125_000), 250, 133),
        DataRate(5, Lora(7, 125_000), 250),
        DataRate(6, Lora(8, 500_000), 250),
        DataRate(7, LrFhss(1_523_000, "1/3"), 58),
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
        0: (8, 8, 8, 8, 8, 8),
        1: (9, 8, 8, 8, 8, 8),
        2: (10, 9, 8, 8, 8, 8),
        3: (11, 10, 9, 8, 8, 8),
        4: (12, 11, 10, 9, 8, 8),
        5: (13, 12, 11, 10, 9, 8),
        6: (13, 13, 12, 11, 10, 9),
        7: (9, 8, 8, 8, 8, 8),
    },
    rx2_freq_hz=923_300_000,
    rx2_dr=8,
    bands=(Band(915_000_000, 928_000_000, 1.0, 27.0),),  # limit 30 dBm; 27 is the top of gateways' power tables
    max_eirp_dbm=30.0,
    tx_power_offsets_db=power_steps(14),
    max_adr_dr=5,
    join_drs=(2, 6),
    has_tx_param_setup=True,
    uplink_dwell_400ms=True,
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
