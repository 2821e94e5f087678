"""CN779-787: withdrawn from RP002-1.0.4 on, as it was in RP002-1.0.3, for the devices that there are."""

from lns.lorawan.regions.common import EIGHT_RATES, rx1_dr
from lns.lorawan.regions.region import Band, Channel, ClassB, Region, power_steps

CN779 = Region(
    name="CN779",
    plan="dynamic",
    uplink_channels=(
        Channel(0, 779_500_000, 0, 5),
        Channel(1, 779_700_000, 0, 5),
        Channel(2, 779_900_000, 0, 5),
    ),
    uplink_rates=EIGHT_RATES,
    downlink_rates=EIGHT_RATES,
    rx1_dr=rx1_dr(7),
    rx2_freq_hz=786_000_000,
    rx2_dr=0,
    bands=(Band(779_500_000, 786_500_000, 0.01, 12.0),),
    max_eirp_dbm=12.15,
    tx_power_offsets_db=power_steps(5),
    max_adr_dr=5,
    join_only_freqs_hz=(780_500_000, 780_700_000, 780_900_000),
    class_b=ClassB(beacon_freqs_hz=(785_000_000,), beacon_dr=3, ping_slot_freqs_hz=(785_000_000,), ping_slot_dr=3),
)
