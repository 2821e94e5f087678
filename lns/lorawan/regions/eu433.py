"""EU433, RP002-1.0.4."""

from lns.lorawan.modulation import Fsk, Lora
from lns.lorawan.regions.region import Band, Channel, ClassB, DataRate, Region, power_steps

_BOTH = (
    DataRate(0, Lora(12, 125_000), 59),
    DataRate(1, Lora(11, 125_000), 59),
    DataRate(2, Lora(10, 125_000), 59),
    DataRate(3, Lora(9, 125_000), 123),
    DataRate(4, Lora(8, 125_000), 250),
    DataRate(5, Lora(7, 125_000), 250),
    DataRate(6, Lora(7, 250_000), 250),
    DataRate(7, Fsk(50_000), 250),
)

EU433 = Region(
    name="EU433",
    plan="dynamic",
    uplink_channels=(
        Channel(0, 433_175_000, 0, 5),
        Channel(1, 433_375_000, 0, 5),
        Channel(2, 433_575_000, 0, 5),
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
        6: (6, 5, 4, 3, 2, 1),
        7: (7, 6, 5, 4, 3, 2),
    },
    rx2_freq_hz=434_665_000,
    rx2_dr=0,
    # 1 % is what LoRaWAN 1.0.1 and LoRaMac-node have; ETSI allows 10 % in parts of the band
    bands=(Band(433_050_000, 434_790_000, 0.01, 12.0),),
    max_eirp_dbm=12.15,
    tx_power_offsets_db=power_steps(5),
    max_adr_dr=5,
    class_b=ClassB(beacon_freqs_hz=(434_665_000,), beacon_dr=3, ping_slot_freqs_hz=(434_665_000,), ping_slot_dr=3),
)
