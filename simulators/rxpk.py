"""PUSH_DATA as bytes, written by templates: every `rxpk` is what the sx1302 forwarder prints, but cheap. Pure.

An rxpk is made in two parts, because only the transmission knows its `tmst`: HEAD and the counter, then the tail.
"""

from lns.gateways.words import words_of
from lns.lorawan.regions.region import Channel, Region

HEAD = b'{"jver":1,"tmst":'


class Tails:
    """Makes the part of an rxpk after its `tmst`."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._templates: dict[tuple[int, int], bytes] = {}

    def tail(self, channel: Channel, dr: int, rssi_dbm: int, snr_db: float, phy_base64: bytes, size: int) -> bytes:
        """One copy as one gateway heard it; `size` is the length of the PHYPayload in octets."""
        template = self._templates.get((channel.freq_hz, dr)) or self._template(channel, dr)
        return template % (rssi_dbm, snr_db, rssi_dbm, size, phy_base64)

    def _template(self, channel: Channel, dr: int) -> bytes:
        words = words_of(self._region.uplink_modulation(dr))
        # a concentrator has eight multi-SF channels over two radios
        text = (
            f',"chan":{channel.index % 8},"rfch":{channel.index % 8 // 4},"freq":{channel.freq_hz / 1e6:.6f}'
            f',"mid":{channel.index % 16:2d},"stat":1,"modu":"{words["modu"]}","datr":"{words["datr"]}"'
            f',"codr":"{words["codr"]}","rssis":%d,"lsnr":%.1f,"foff":0,"rssi":%d,"size":%d,"data":"%b"}}'
        )
        template = self._templates[channel.freq_hz, dr] = text.encode()
        return template
