"""2.4 GHz: no region of RP002 but the proposal of Semtech, LoRaWAN 2.4 GHz; sync word 0x21."""

from lns.lorawan.modulation import Lora
from lns.lorawan.regions.common import rx1_dr
from lns.lorawan.regions.region import Band, Channel, ClassB, DataRate, Region

_BOTH = (
    DataRate(0, Lora(12, 812_500, "4/8LI"), 59),
    DataRate(1, Lora(11, 812_500, "4/8LI"), 123),
    DataRate(2, Lora(10, 812_500, "4/8LI"), 248),
    DataRate(3, Lora(9, 812_500, "4/8LI"), 248),
    DataRate(4, Lora(8, 812_500, "4/8LI"), 248),
    DataRate(5, Lora(7, 812_500, "4/8LI"), 248),
    DataRate(6, Lora(6, 812_500, "4/8LI"), 248),
    DataRate(7, Lora(5, 812_500, "4/8LI"), 248),
)

ISM2400 = Region(
    name="ISM2400",
    plan="dynamic",
    freq_step_hz=200,
    uplink_channels=(
        Channel(0, 2_403_000_000, 0, 7),
        Channel(1, 2_425_000_000, 0, 7),
        Channel(2, 2_479_000_000, 0, 7),
    ),
    uplink_rates=_BOTH,
    downlink_rates=_BOTH,
    rx1_dr=rx1_dr(7),
    rx2_freq_hz=2_423_000_000,
    rx2_dr=0,
    bands=(Band(2_400_000_000, 2_500_000_000, 1.0, 10.0),),
    max_eirp_dbm=10.0,
    max_adr_dr=7,
    join_drs=(0, 1, 2, 3, 4, 5, 6, 7),
    has_tx_param_setup=True,
    class_b=ClassB(beacon_freqs_hz=(2_424_000_000,), beacon_dr=3, ping_slot_freqs_hz=(2_424_000_000,), ping_slot_dr=3),
)
