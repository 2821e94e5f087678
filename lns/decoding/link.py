"""Link metadata as measurements: how well an uplink was heard, recorded by the server itself."""

from lns.exchange.records import Uplink

Sample = tuple[str, float | bool | str, str | None, int | None]
"""(field, value, unit, own time in UTC microseconds or None)."""

RSSI, SNR, DR, GATEWAYS = "link.rssi", "link.snr", "link.dr", "link.gateways"


def samples(uplink: Uplink) -> list[Sample]:
    """The best copy's RSSI and SNR, the data rate, and how many gateways heard the frame."""
    best = uplink.rx[0]
    found: list[Sample] = []
    if best.rssi_dbm is not None:
        found.append((RSSI, float(best.rssi_dbm), "dBm", None))
    if best.snr_db is not None:
        found.append((SNR, float(best.snr_db), "dB", None))
    gateways = 1 if len(uplink.rx) == 1 else len({rx.gateway_eui for rx in uplink.rx})
    found.append((DR, float(uplink.dr), None, None))
    found.append((GATEWAYS, float(gateways), None, None))
    return found
