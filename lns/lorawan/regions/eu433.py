"""EU433, RP002-1.0.4."""

from lns.lorawan.regions.common import EIGHT_RATES, rx1_dr
from lns.lorawan.regions.region import Band, Channel, ClassB, Region, power_steps

EU433 = Region(
    name="EU433",
    plan="dynamic",
    uplink_channels=(
        Channel(0, 433_175_000, 0, 5),
        Channel(1, 433_375_000, 0, 5),
        Channel(2, 433_575_000, 0, 5),
    ),
    uplink_rates=EIGHT_RATES,
    downlink_rates=EIGHT_RATES,
    rx1_dr=rx1_dr(7),
    rx2_freq_hz=434_665_000,
    rx2_dr=0,
    # 1 % is what LoRaWAN 1.0.1 and LoRaMac-node have; ETSI allows 10 % in parts of the band
    bands=(Band(433_050_000, 434_790_000, 0.01, 12.0),),
    max_eirp_dbm=12.15,
    tx_power_offsets_db=power_steps(5),
    max_adr_dr=5,
    class_b=ClassB(beacon_freqs_hz=(434_665_000,), beacon_dr=3, ping_slot_freqs_hz=(434_665_000,), ping_slot_dr=3),
)
