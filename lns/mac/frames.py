"""What gateways hand to the network: one reception of one frame, whatever protocol brought it."""

from collections.abc import Sequence

import msgspec

from lns.lorawan.modulation import Modulation


class Reception(msgspec.Struct, frozen=True, gc=False):
    """One copy of a frame as one gateway heard it; EUIs are lower-case hex in display order.

    `tmst_us` is the gateway's own counter at the end of the reception (wraps at 2**32), `received_at_us` the
    server's UTC clock in microseconds, `gateway_time_us` the gateway's UTC, `gps_time_ms` its GPS time.
    """

    phy_payload: bytes
    gateway_eui: str
    freq_hz: int
    modulation: Modulation
    rssi_dbm: float | None
    snr_db: float | None
    tmst_us: int | None
    received_at_us: int
    crc_ok: bool = True
    chan: int | None = None
    rf_chain: int | None = None
    antenna: int | None = None
    board: int | None = None
    rssis_dbm: float | None = None
    freq_offset_hz: int | None = None
    gateway_time_us: int | None = None
    gps_time_ms: int | None = None
    fine_time_ns: int | None = None


class Transmission(msgspec.Struct, frozen=True, gc=False):
    """One downlink as a gateway has to send it.

    `tmst_us` is the gateway's counter (class A). Without it the frame is sent at `gps_time_ms` (class B, timed class
    C), and without that at once.
    """

    phy_payload: bytes
    gateway_eui: str
    freq_hz: int
    modulation: Modulation
    power_dbm: float
    tmst_us: int | None
    rf_chain: int = 0
    antenna: int | None = None
    board: int | None = None
    invert_polarity: bool = True
    gps_time_ms: int | None = None


class TxOutcome(msgspec.Struct, frozen=True, gc=False):
    """What a gateway said of a transmission: `error` is None when its queue took it."""

    accepted: bool
    error: str | None = None
    warn: str | None = None
    value: float | None = None


def strongest_first(receptions: Sequence[Reception]) -> list[Reception]:
    """Receptions ordered by SNR, then RSSI; unknown values last."""
    return sorted(
        receptions,
        key=lambda r: (r.snr_db if r.snr_db is not None else -999.0, r.rssi_dbm if r.rssi_dbm is not None else -999.0),
        reverse=True,
    )
