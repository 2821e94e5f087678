"""The session of a simulated device: keys, both counters, and an account of every downlink it was sent. Pure."""

from enum import Enum

from lns.lorawan.crypto import DOWN, DataMic, PayloadCipher
from lns.lorawan.fcnt import reconstruct
from lns.lorawan.ids import dev_addr_le

_REMEMBERED = 4096  # downlinks


class Fault(Enum):
    """What is wrong with a downlink."""

    MALFORMED = "malformed"
    MIC = "mic"
    REPEATED = "repeated"  # the very same frame once more
    FCNT_REUSED = "fcnt_reused"  # another frame under a counter that was used
    FCNT_BEHIND = "fcnt_behind"  # a counter below the last one that was never used


class Session:
    """`fcnt_up` is the next counter to send, `fcnt_down` the last one received (-1: none)."""

    __slots__ = ("_downlinks", "app", "dev_addr", "dev_addr_le", "fcnt_down", "fcnt_up", "mic", "nwk_s_key")

    def __init__(self, dev_addr: str, nwk_s_key: bytes, app_s_key: bytes) -> None:
        self.dev_addr = dev_addr
        self.dev_addr_le = dev_addr_le(dev_addr)
        self.nwk_s_key = nwk_s_key
        self.mic = DataMic(nwk_s_key)
        self.app = PayloadCipher(app_s_key)
        self.fcnt_up = 0
        self.fcnt_down = -1
        self._downlinks: dict[int, bytes] = {}

    def take_downlink(self, phy: bytes, fcnt16: int) -> int | Fault:
        """The full counter of a downlink that is authentic and new; it is the last one from then on."""
        fcnt = self.note_downlink(phy, fcnt16)
        if isinstance(fcnt, Fault):
            return fcnt
        if fcnt <= self.fcnt_down:
            return Fault.FCNT_BEHIND
        self.fcnt_down = fcnt
        return fcnt

    def note_downlink(self, phy: bytes, fcnt16: int) -> int | Fault:
        """Keep account of a downlink on the air, heard by the device or not: its counter, if it is used only once."""
        fcnt = reconstruct(self.fcnt_down, fcnt16)
        if not self._authentic(phy, fcnt):
            fcnt = self.fcnt_down & ~0xFFFF | fcnt16
            if not 0 <= fcnt <= self.fcnt_down or not self._authentic(phy, fcnt):
                return Fault.MIC
        noted = self._downlinks.get(fcnt)
        if noted is not None:
            return Fault.REPEATED if noted == phy else Fault.FCNT_REUSED
        self._downlinks[fcnt] = phy
        if len(self._downlinks) > _REMEMBERED:
            del self._downlinks[next(iter(self._downlinks))]
        return fcnt

    def crypt(self, fport: int | None, payload: bytes, fcnt: int, direction: int) -> bytes:
        """En- or decrypt; FPort 0 uses NwkSKey (LoRaWAN 1.0.x)."""
        cipher = PayloadCipher(self.nwk_s_key) if fport == 0 else self.app
        return cipher.apply(payload, self.dev_addr_le, fcnt, direction)

    def _authentic(self, phy: bytes, fcnt: int) -> bool:
        return self.mic.mic(phy[:-4], self.dev_addr_le, fcnt, DOWN) == phy[-4:]
