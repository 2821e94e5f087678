"""EU863-870, RP002-1.0.4."""

from lns.lorawan.modulation import LrFhss
from lns.lorawan.regions.common import EIGHT_RATES, rx1_dr
from lns.lorawan.regions.region import Band, Channel, ClassB, DataRate, Region

EU868 = Region(
    name="EU868",
    plan="dynamic",
    uplink_channels=(
        Channel(0, 868_100_000, 0, 5),
        Channel(1, 868_300_000, 0, 5),
        Channel(2, 868_500_000, 0, 5),
    ),
    uplink_rates=(
        *EIGHT_RATES,
        DataRate(8, LrFhss(137_000, "1/3"), 58),
        DataRate(9, LrFhss(137_000, "2/3"), 123),
        DataRate(10, LrFhss(336_000, "1/3"), 58),
        DataRate(11, LrFhss(336_000, "2/3"), 123),
    ),
    downlink_rates=EIGHT_RATES,
    rx1_dr={
        **rx1_dr(7),
        8: (1, 0, 0, 0, 0, 0),
        9: (2, 1, 0, 0, 0, 0),
        10: (1, 0, 0, 0, 0, 0),
        11: (2, 1, 0, 0, 0, 0),
    },
    rx2_freq_hz=869_525_000,
    rx2_dr=0,
    # Limits are 14 dBm ERP (16.15 dBm EIRP), and 27 dBm ERP (29.15 dBm EIRP) in the 10 % band.
    bands=(
        Band(863_000_000, 865_000_000, 0.001, 16.0),
        Band(865_000_000, 868_000_000, 0.01, 16.0),
        Band(868_000_000, 868_600_000, 0.01, 16.0),
        Band(868_700_000, 869_200_000, 0.001, 16.0),
        Band(869_400_000, 869_650_000, 0.1, 27.0),
        Band(869_700_000, 870_000_000, 0.01, 16.0),
    ),
    max_eirp_dbm=16.0,
    max_adr_dr=5,
    join_only_freqs_hz=(864_100_000, 864_300_000, 864_500_000),  # LoRaWAN 1.0 and 1.0.1
    class_b=ClassB(beacon_freqs_hz=(869_525_000,), beacon_dr=3, ping_slot_freqs_hz=(869_525_000,), ping_slot_dr=3),
)
