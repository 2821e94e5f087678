"""A multicast group as its members know it: an address, two keys, a counter and where they listen. Pure."""

from lns.lorawan.crypto import DOWN, DataMic, PayloadCipher
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.modulation import Modulation
from lns.lorawan.phy import DataFrame
from simulators.session import Downlinks, Fault


class Group:
    """MIC and payload cipher are those of LoRaWAN 1.0, in every version.

    `periodicity` makes it a class B group with a ping slot every 2**n seconds, None a class C group.
    """

    def __init__(self, mc_addr: str, keys: tuple[bytes, bytes], fcnt: int = -1) -> None:
        """`keys` are McNwkSKey and McAppSKey, `fcnt` is the last counter that was used before."""
        self.mc_addr = mc_addr
        self.downlinks = Downlinks(fcnt)
        self.listens: tuple[int, Modulation] | None = None  # frequency in Hz; None: not in a session now
        self.periodicity: int | None = None
        self._addr_le = dev_addr_le(mc_addr)
        self._mic, self._cipher = DataMic(keys[0]), PayloadCipher(keys[1])

    def receive(self, frame: DataFrame, phy: bytes) -> tuple[int, bytes] | Fault:
        """Counter and payload of a frame that is authentic, new, and such as a group may be sent."""
        if frame.confirmed or frame.fctrl or not frame.fport:  # no ACK, ADR, FPending or FOpts either
            return Fault.MALFORMED
        fcnt = self.downlinks.take(phy, frame.fcnt16, lambda fcnt: self._authentic(phy, fcnt))
        if isinstance(fcnt, Fault):
            return fcnt
        return fcnt, self._cipher.apply(frame.frm_payload, self._addr_le, fcnt, DOWN)

    def _authentic(self, phy: bytes, fcnt: int) -> bool:
        return self._mic.mic(phy[:-4], self._addr_le, fcnt, DOWN) == phy[-4:]
