"""KR920-923, RP002-1.0.4. Devices listen before they talk and stay at 10 dBm EIRP below 922 MHz by themselves."""

from lns.lorawan.regions.common import LORA_125_KHZ, rx1_dr
from lns.lorawan.regions.region import Band, Channel, ClassB, Region

KR920 = Region(
    name="KR920",
    plan="dynamic",
    uplink_channels=(
        Channel(0, 922_100_000, 0, 5),
        Channel(1, 922_300_000, 0, 5),
        Channel(2, 922_500_000, 0, 5),
    ),
    uplink_rates=LORA_125_KHZ,
    downlink_rates=LORA_125_KHZ,
    rx1_dr=rx1_dr(5),
    rx2_freq_hz=921_900_000,
    rx2_dr=0,
    # gateways may use 23 dBm, devices 14
    bands=(Band(920_900_000, 923_300_000, 1.0, 23.0),),
    max_eirp_dbm=14.0,
    max_adr_dr=5,
    class_b=ClassB(beacon_freqs_hz=(923_100_000,), beacon_dr=3, ping_slot_freqs_hz=(923_100_000,), ping_slot_dr=3),
)
