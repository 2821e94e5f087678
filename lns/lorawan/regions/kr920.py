"""KR920-923, RP002-1.0.4. Devices listen before they talk and stay at 10 dBm EIRP below 922 MHz by themselves."""

from lns.lorawan.modulation import Lora
from lns.lorawan.regions.region import Band, Channel, ClassB, DataRate, Region

_BOTH = (
    DataRate(0, Lora(12, 125_000), 59),
    DataRate(1, Lora(11, 125_000), 59),
    DataRate(2, Lora(10, 125_000), 59),
    DataRate(3, Lora(9, 125_000), 123),
    DataRate(4, Lora(8, 125_000), 250),
    DataRate(5, Lora(7, 125_000), 250),
)

KR920 = Region(
    name="KR920",
    plan="dynamic",
    uplink_channels=(
        Channel(0, 922_100_000, 0, 5),
        Channel(1, 922_300_000, 0, 5),
        Channel(2, 922_500_000, 0, 5),
    ),
    uplink_rates=_BOTH,
    downlink_rates=_BOTH,
    rx1_dr={
        0: (0, 0, 0, 0, 0, 0),
        1: (1, 0, 0, 0, 0, 0),
        2: (2, 1, 0, 0, 0, 0),
        3: (3, 2, 1, 0, 0, 0),
        4: (4, 3, 2, 1, 0, 0),
        5: (5, 4, 3, 2, 1, 0),
    },
    rx2_freq_hz=921_900_000,
    rx2_dr=0,
    # gateways may use 23 dBm, devices 14
    bands=(Band(920_900_000, 923_300_000, 1.0, 23.0),),
    max_eirp_dbm=14.0,
    max_adr_dr=5,
    class_b=ClassB(beacon_freqs_hz=(923_100_000,), beacon_dr=3, ping_slot_freqs_hz=(923_100_000,), ping_slot_dr=3),
)
