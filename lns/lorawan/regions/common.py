"""What dynamic plans of RP002-1.0.4 have in common: data rates 0 to 7, and the data rate of RX1 by its offset."""

from lns.lorawan.modulation import Fsk, Lora
from lns.lorawan.regions.region import DataRate

LORA_125_KHZ = (
    DataRate(0, Lora(12, 125_000), 59),
    DataRate(1, Lora(11, 125_000), 59),
    DataRate(2, Lora(10, 125_000), 59),
    DataRate(3, Lora(9, 125_000), 123),
    DataRate(4, Lora(8, 125_000), 250),
    DataRate(5, Lora(7, 125_000), 250),
)
LORA_250_KHZ = DataRate(6, Lora(7, 250_000), 250)
FSK = DataRate(7, Fsk(50_000), 250)
EIGHT_RATES = (*LORA_125_KHZ, LORA_250_KHZ, FSK)


def rx1_dr(last: int) -> dict[int, tuple[int, ...]]:
    """Uplink data rates 0 to `last`: each offset of 0 to 5 makes the downlink one data rate slower, down to 0."""
    return {dr: tuple(max(dr - offset, 0) for offset in range(6)) for dr in range(last + 1)}
