"""The LoRaWAN 1.0 session of a simulated device: keys, both counters, and an account of its downlinks. Pure."""

from collections.abc import Callable
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
    MISSED = "missed"  # nothing: the device did not listen, because it was told to misbehave


class Downlinks:
    """One downlink counter: `last` received (-1: none), and the frames that were sent under it."""

    __slots__ = ("_frames", "last")

    def __init__(self, last: int = -1) -> None:
        self.last = last
        self._frames: dict[int, bytes] = {}

    def take(self, phy: bytes, fcnt16: int, authentic: Callable[[int], bool]) -> int | Fault:
        """The full counter of a frame that is authentic and new; it is the last one from then on."""
        fcnt = self.note(phy, fcnt16, authentic)
        if isinstance(fcnt, Fault):
            return fcnt
        if fcnt <= self.last:
            return Fault.FCNT_BEHIND
        self.last = fcnt
        return fcnt

    def note(self, phy: bytes, fcnt16: int, authentic: Callable[[int], bool]) -> int | Fault:
        """Keep account of a frame on the air, heard by the device or not: its counter, if it is used only once."""
        fcnt = reconstruct(self.last, fcnt16)
        if not authentic(fcnt):
            fcnt = self.last & ~0xFFFF | fcnt16
            if not 0 <= fcnt <= self.last or not authentic(fcnt):
                return Fault.MIC
        noted = self._frames.get(fcnt)
        if noted is not None:
            return Fault.REPEATED if noted == phy else Fault.FCNT_REUSED
        self._frames[fcnt] = phy
        if len(self._frames) > _REMEMBERED:
            del self._frames[next(iter(self._frames))]
        return fcnt


class Session:
    """`fcnt_up` is the next counter to send, `fcnt_down` the last one received (-1: none)."""

    __slots__ = ("app", "dev_addr", "dev_addr_le", "downlinks", "fcnt_up", "mic", "nwk_s_key")
    minor = 0

    def __init__(self, dev_addr: str, nwk_s_key: bytes, app_s_key: bytes) -> None:
        self.dev_addr = dev_addr
        self.dev_addr_le = dev_addr_le(dev_addr)
        self.nwk_s_key = nwk_s_key
        self.mic = DataMic(nwk_s_key)
        self.app = PayloadCipher(app_s_key)
        self.fcnt_up = 0
        self.downlinks = Downlinks()

    @property
    def fcnt_down(self) -> int:
        return self.downlinks.last

    @fcnt_down.setter
    def fcnt_down(self, last: int) -> None:
        self.downlinks.last = last

    def reset_counters(self) -> None:
        """Forget both, as a device that lost its power and did not store them."""
        self.fcnt_up = 0
        self.downlinks = Downlinks()

    def take_downlink(self, phy: bytes, fcnt16: int) -> int | Fault:
        """The full counter of a downlink that is authentic and new; it is the last one from then on."""
        return self.downlinks.take(phy, fcnt16, self._authentic(phy))

    def note_downlink(self, phy: bytes, fcnt16: int) -> int | Fault:
        """Keep account of a downlink on the air, heard by the device or not: its counter, if it is used only once."""
        return self.downlinks.note(phy, fcnt16, self._authentic(phy))

    def crypt(self, fport: int | None, payload: bytes, fcnt: int, direction: int) -> bytes:
        """En- or decrypt; FPort 0 uses NwkSKey (LoRaWAN 1.0.x)."""
        cipher = PayloadCipher(self.nwk_s_key) if fport == 0 else self.app
        return cipher.apply(payload, self.dev_addr_le, fcnt, direction)

    def clear_fopts(self, fopts: bytes, fcnt: int, fport: int | None) -> bytes:
        """FOpts of a downlink; they are not encrypted in 1.0.x."""
        return fopts

    def _authentic(self, phy: bytes) -> Callable[[int], bool]:
        return lambda fcnt: self.mic.mic(phy[:-4], self.dev_addr_le, fcnt, DOWN) == phy[-4:]
