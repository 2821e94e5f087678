"""RU864-870, RP002-1.0.4."""

from lns.lorawan.regions.common import EIGHT_RATES, rx1_dr
from lns.lorawan.regions.region import Band, Channel, ClassB, Region

RU864 = Region(
    name="RU864",
    plan="dynamic",
    uplink_channels=(
        Channel(0, 868_900_000, 0, 5),
        Channel(1, 869_100_000, 0, 5),
    ),
    uplink_rates=EIGHT_RATES,
    downlink_rates=EIGHT_RATES,
    rx1_dr=rx1_dr(7),
    rx2_freq_hz=869_100_000,
    rx2_dr=0,
    bands=(Band(864_000_000, 870_000_000, 0.01, 16.0),),
    max_eirp_dbm=16.0,
    max_adr_dr=5,
    class_b=ClassB(beacon_freqs_hz=(869_100_000,), beacon_dr=3, ping_slot_freqs_hz=(868_900_000,), ping_slot_dr=3),
)
