"""IN865-867, RP002-1.0.4."""

from lns.lorawan.regions.common import FSK, LORA_125_KHZ
from lns.lorawan.regions.region import Band, Channel, ClassB, Region, power_steps

_BOTH = (*LORA_125_KHZ, FSK)

IN865 = Region(
    name="IN865",
    plan="dynamic",
    uplink_channels=(
        Channel(0, 865_062_500, 0, 5),
        Channel(1, 865_402_500, 0, 5),
        Channel(2, 865_985_000, 0, 5),
    ),
    uplink_rates=_BOTH,
    downlink_rates=_BOTH,
    # there is no DR6: what would be it is DR5
    rx1_dr={
        0: (0, 0, 0, 0, 0, 0, 1, 2),
        1: (1, 0, 0, 0, 0, 0, 2, 3),
        2: (2, 1, 0, 0, 0, 0, 3, 4),
        3: (3, 2, 1, 0, 0, 0, 4, 5),
        4: (4, 3, 2, 1, 0, 0, 5, 5),
        5: (5, 4, 3, 2, 1, 0, 5, 7),
        7: (7, 5, 5, 4, 3, 2, 7, 7),
    },
    rx2_freq_hz=866_550_000,
    rx2_dr=2,
    # the limit is 30 dBm; 27 is the top of gateways' power tables
    bands=(Band(865_000_000, 867_000_000, 1.0, 27.0),),
    max_eirp_dbm=30.0,
    tx_power_offsets_db=power_steps(10),
    max_adr_dr=5,
    class_b=ClassB(
        beacon_freqs_hz=(866_550_000,),
        beacon_dr=4,
        beacon_size=19,
        beacon_rfu1=0,
        beacon_rfu2=3,
        ping_slot_freqs_hz=(866_550_000,),
        ping_slot_dr=4,
    ),
)
