"""The LoRaWAN 1.1 session of a simulated device: four keys, two downlink counters, and a MIC for each sending. Pure."""

from collections.abc import Callable

import msgspec

from lns.lorawan.crypto import DOWN, UP, PayloadCipher
from lns.lorawan.crypto11 import DataMic11, FOptsCipher
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.joining import SessionKeys
from lns.lorawan.phy import ACK
from simulators.session import Downlinks, Fault


class _Frame(msgspec.Struct, frozen=True):
    """An uplink before its MIC."""

    message: bytes
    fcnt: int
    conf_fcnt: int


class Session11:
    """`fcnt_up` is the next counter to send. `fcnt_down` is the last NFCntDown: downlinks on FPort 0 or without one;
    `afcnt_down` the last AFCntDown: downlinks on the other FPorts. -1 is none.
    """

    __slots__ = (
        "_application",
        "_before_erratum",
        "_confirmed_fcnt",
        "_fopts",
        "_frame",
        "_mic",
        "_network",
        "app",
        "dev_addr",
        "dev_addr_le",
        "fcnt_up",
        "keys",
    )
    minor = 1

    def __init__(self, dev_addr: str, keys: SessionKeys, before_erratum: bool = False) -> None:
        self.dev_addr = dev_addr
        self.dev_addr_le = dev_addr_le(dev_addr)
        self.keys = keys
        self.app = PayloadCipher(keys.app_s_key)
        self._mic = DataMic11(keys.f_nwk_s_int_key, keys.s_nwk_s_int_key)
        self._fopts = FOptsCipher(keys.nwk_s_enc_key)
        self._before_erratum = before_erratum
        self._confirmed_fcnt = 0  # of the last confirmed uplink, which an ACK is for
        self._frame: _Frame | None = None
        self.reset_counters()

    @property
    def fcnt_down(self) -> int:
        return self._network.last

    @fcnt_down.setter
    def fcnt_down(self, last: int) -> None:
        self._network.last = last

    @property
    def afcnt_down(self) -> int:
        return self._application.last

    @afcnt_down.setter
    def afcnt_down(self, last: int) -> None:
        self._application.last = last

    def reset_counters(self) -> None:
        """Forget all three, as a device that lost its power and did not store them."""
        self.fcnt_up = 0
        self._network, self._application = Downlinks(), Downlinks()

    def conceal(self, fopts: bytes, fcnt: int) -> bytes:
        """FOpts of an uplink as they are sent."""
        return self._fopts.apply(fopts, self.dev_addr_le, fcnt, UP, False, self._before_erratum)

    def clear_fopts(self, fopts: bytes, fcnt: int, fport: int | None) -> bytes:
        """FOpts of a downlink."""
        return self._fopts.apply(fopts, self.dev_addr_le, fcnt, DOWN, bool(fport), self._before_erratum)

    def compose(self, message: bytes, fcnt: int, conf_fcnt: int) -> None:
        """Have an uplink ready for `sign`; `conf_fcnt` is that of the downlink it acknowledges, else 0."""
        if message[0] == 0x80:
            self._confirmed_fcnt = fcnt
        self._frame = _Frame(message, fcnt, conf_fcnt)

    def sign(self, dr: int, channel: int) -> bytes:
        """The uplink as it is sent at data rate `dr` on the channel with this index: each sending has its own MIC."""
        assert self._frame is not None
        message, fcnt, conf_fcnt = self._frame.message, self._frame.fcnt, self._frame.conf_fcnt
        return message + self._mic.uplink(message, self.dev_addr_le, fcnt, conf_fcnt, dr, channel)

    def take_downlink(self, phy: bytes, fcnt16: int) -> int | Fault:
        """The full counter of a downlink that is authentic and new; it is the last one of its kind from then on."""
        return self._counter(phy).take(phy, fcnt16, self._authentic(phy))

    def note_downlink(self, phy: bytes, fcnt16: int) -> int | Fault:
        """Keep account of a downlink on the air, heard by the device or not: its counter, if it is used only once."""
        return self._counter(phy).note(phy, fcnt16, self._authentic(phy))

    def crypt(self, fport: int | None, payload: bytes, fcnt: int, direction: int) -> bytes:
        """En- or decrypt; FPort 0 uses NwkSEncKey."""
        cipher = PayloadCipher(self.keys.nwk_s_enc_key) if fport == 0 else self.app
        return cipher.apply(payload, self.dev_addr_le, fcnt, direction)

    def _counter(self, phy: bytes) -> Downlinks:
        fport_at = 8 + (phy[5] & 15)
        return self._application if fport_at < len(phy) - 4 and phy[fport_at] else self._network

    def _authentic(self, phy: bytes) -> Callable[[int], bool]:
        conf_fcnt = self._confirmed_fcnt if phy[5] & ACK else 0
        return lambda fcnt: self._mic.downlink(phy[:-4], self.dev_addr_le, fcnt, conf_fcnt) == phy[-4:]
