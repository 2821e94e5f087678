"""CN470-510 with 96 channels, as before RP002-1.0.1: what ChirpStack and The Things Stack run as CN470."""

from lns.lorawan.regions.common import LORA_125_KHZ, rx1_dr
from lns.lorawan.regions.region import Band, Channel, ClassB, Region

_BEACON_CHANNELS_HZ = tuple(508_300_000 + 200_000 * n for n in range(8))

CN470 = Region(
    name="CN470",
    plan="fixed",
    max_channels=96,
    uplink_channels=tuple(Channel(n, 470_300_000 + 200_000 * n, 0, 5) for n in range(96)),
    downlink_channels_hz=tuple(500_300_000 + 200_000 * n for n in range(48)),
    uplink_rates=LORA_125_KHZ,
    downlink_rates=LORA_125_KHZ,
    rx1_dr=rx1_dr(5),
    rx2_freq_hz=505_300_000,
    rx2_dr=0,
    bands=(Band(470_000_000, 510_000_000, 1.0, 16.0),),  # limit 19.15 dBm; 16 is the next in gateways' power tables
    max_eirp_dbm=19.15,
    max_adr_dr=5,
    class_b=ClassB(
        beacon_freqs_hz=_BEACON_CHANNELS_HZ,
        beacon_dr=2,
        beacon_size=19,
        beacon_rfu1=2,
        beacon_rfu2=1,
        ping_slot_freqs_hz=_BEACON_CHANNELS_HZ,
        ping_slot_dr=2,
    ),
)
