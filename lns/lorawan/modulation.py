"""The three modulations a LoRaWAN frame may be sent with, as values that compare and hash."""

import msgspec


class Lora(msgspec.Struct, frozen=True, tag="LORA", gc=False):
    """LoRa: spreading factor 5 to 12, bandwidth in Hz, coding rate as "4/5"."""

    sf: int
    bw_hz: int
    coding_rate: str = "4/5"


class Fsk(msgspec.Struct, frozen=True, tag="FSK", gc=False):
    """(G)FSK with its bit rate in bit/s."""

    bitrate_bps: int


class LrFhss(msgspec.Struct, frozen=True, tag="LR_FHSS", gc=False):
    """LR-FHSS: operating channel width in Hz, coding rate "1/3" or "2/3", hopping grid steps where known."""

    ocw_hz: int
    coding_rate: str
    grid_steps: int | None = None


Modulation = Lora | Fsk | LrFhss
