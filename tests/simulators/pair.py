"""A small network in memory for the life of one device, on lns.lorawan alone: it knows the session and answers at once.

It has no opinions: what it sends is what a test put into `fopts`, `queue` and `extra`.
"""

from lns.lorawan.crypto import DOWN, UP, DataMic, PayloadCipher, encrypt_join_accept, session_keys_1_0
from lns.lorawan.crypto11 import DataMic11, FOptsCipher
from lns.lorawan.fcnt import reconstruct
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.joining import JOIN, JoinContext, SessionKeys, encrypt_join_accept_1_1, session_keys
from lns.lorawan.phy import (
    ACK,
    DataFrame,
    JoinAccept,
    JoinRequest,
    MType,
    RejoinRequest,
    build_data,
    parse_uplink,
)
from lns.lorawan.regions.region import Region
from lns.mac.frames import Reception, Transmission
from simulators.device import Device
from simulators.identity import Identity
from simulators.life import Life

NET_ID = "000013"


class Pair:
    """`uplinks` are the FCntUp, FPort and payload of what came; `fopts` of each, in clear, are in `commands`."""

    def __init__(self, device: Device) -> None:
        self.who: Identity = device.identity
        self.region: Region = device.mac.region
        self.minor = device.firmware.version.minor
        self.uplinks: list[tuple[int, int | None, bytes]] = []
        self.commands: list[bytes] = []
        self.fopts = b""  # of the next downlink
        self.queue: list[tuple[int, bytes]] = []
        self.window = 1
        self.opt_neg = self.minor == 1
        self.silent = False
        self.fcnt_up = -1
        self.fcnt_down = self.afcnt_down = 0
        self.rx = {"delay": 1, "offset": 0, "dr": self.region.rx2_dr, "freq": self.region.rx2_freq_hz}
        self._device = device
        self._joins = 0

    def activate(self) -> None:
        """Know an ABP device."""
        who = self.who
        nwk = (who.nwk_s_key,) * 3
        if self.minor:
            nwk = (who.f_nwk_s_int_key, who.s_nwk_s_int_key, who.nwk_s_enc_key)
        self._use(who.dev_addr, SessionKeys(*nwk, who.app_s_key), self.minor)

    def __call__(self, receptions: list[Reception]) -> list[Transmission]:
        heard = receptions[0]
        frame = parse_uplink(heard.phy_payload)
        if isinstance(frame, JoinRequest):
            return self._join(heard, JoinContext(JOIN, frame.join_eui, frame.dev_nonce))
        if isinstance(frame, RejoinRequest):
            return self._join(heard, JoinContext(frame.rejoin_type, self.who.join_eui, frame.rj_count))
        return self._data(frame, heard)

    def downlink(self, fport: int | None = None, payload: bytes = b"", fopts: bytes = b"", flags: int = 0) -> bytes:
        """A data frame of the session under the next counter."""
        counter = "afcnt_down" if self.minor_now and fport else "fcnt_down"
        fcnt = getattr(self, counter)
        setattr(self, counter, fcnt + 1)
        address, keys = dev_addr_le(self.dev_addr), self.keys
        if self.minor_now:
            fopts = FOptsCipher(keys.nwk_s_enc_key).apply(fopts, address, fcnt, DOWN, bool(fport))
        encrypted = PayloadCipher(keys.app_s_key if fport else keys.nwk_s_enc_key).apply(payload, address, fcnt, DOWN)
        message = build_data(MType.UNCONFIRMED_DOWN, self.dev_addr, flags, fcnt, fopts, fport, encrypted)
        if not self.minor_now:
            return message + DataMic(keys.f_nwk_s_int_key).mic(message, address, fcnt, DOWN)
        conf_fcnt = self.fcnt_up & 0xFFFF if flags & ACK else 0
        mic = DataMic11(keys.f_nwk_s_int_key, keys.s_nwk_s_int_key)
        return message + mic.downlink(message, address, fcnt, conf_fcnt)

    def answer(self, phy: bytes, heard: Reception) -> Transmission:
        """A downlink into the window of choice after an uplink."""
        return self._send(phy, heard, self._place(heard), self.rx["delay"] + self.window - 1)

    def _use(self, dev_addr: str, keys: SessionKeys, minor: int) -> None:
        self.dev_addr, self.keys, self.minor_now = dev_addr, keys, minor
        self.fcnt_up, self.fcnt_down, self.afcnt_down = -1, 0, 0

    def _join(self, heard: Reception, context: JoinContext) -> list[Transmission]:
        self._joins += 1
        who = self.who
        accept = JoinAccept(
            self._joins, NET_ID, f"{0x26000000 + self._joins:08x}", self.opt_neg, 0, self.region.rx2_dr, 1, None
        )
        if self.minor:
            phy = encrypt_join_accept_1_1(accept, context, who.nwk_key, who.dev_eui)
            keys = session_keys(
                self._joins, NET_ID, who.join_eui, context.dev_nonce, who.app_key, who.nwk_key, self.opt_neg
            )
        else:
            phy = encrypt_join_accept(who.app_key, accept)
            nwk, app = session_keys_1_0(who.app_key, self._joins, NET_ID, context.dev_nonce)
            keys = SessionKeys(nwk, nwk, nwk, app)
        if self.silent:
            return []
        self._use(accept.dev_addr, keys, self.opt_neg)
        dr = self.region.uplink_dr(heard.modulation)
        assert dr is not None
        first = self.region.join_rx1(heard.freq_hz, dr)
        place = first if self.window == 1 else self.region.join_rx2(heard.freq_hz)
        return [self._send(phy, heard, place, self.region.join_accept_delay1_s + self.window - 1)]

    def _data(self, frame: DataFrame, heard: Reception) -> list[Transmission]:
        assert frame.dev_addr == self.dev_addr
        fcnt = reconstruct(self.fcnt_up, frame.fcnt16)
        self._check_mic(frame, heard, fcnt)
        again = fcnt == self.fcnt_up
        self.fcnt_up = fcnt
        address, fopts = dev_addr_le(self.dev_addr), frame.fopts
        if self.minor_now:
            fopts = FOptsCipher(self.keys.nwk_s_enc_key).apply(fopts, address, fcnt, UP, False)
        cipher = PayloadCipher(self.keys.app_s_key if frame.fport else self.keys.nwk_s_enc_key)
        if not again:
            self.uplinks.append((fcnt, frame.fport, cipher.apply(frame.frm_payload, address, fcnt, UP)))
            self.commands.append(fopts)
        if self.silent or not (frame.confirmed or self.fopts or self.queue):
            return []
        fport, payload = self.queue.pop(0) if self.queue else (None, b"")
        phy = self.downlink(fport, payload, self.fopts, ACK if frame.confirmed else 0)
        self.fopts = b""
        return [self.answer(phy, heard)]

    def _check_mic(self, frame: DataFrame, heard: Reception, fcnt: int) -> None:
        address, msg = dev_addr_le(self.dev_addr), heard.phy_payload[:-4]
        if not self.minor_now:
            assert DataMic(self.keys.f_nwk_s_int_key).mic(msg, address, fcnt, UP) == frame.mic
            return
        dr = self.region.uplink_dr(heard.modulation)
        channels = [c.index for c in self._device.mac.plan.channels.values() if c.freq_hz == heard.freq_hz]
        mic = DataMic11(self.keys.f_nwk_s_int_key, self.keys.s_nwk_s_int_key)
        assert dr is not None
        assert any(mic.uplink(msg, address, fcnt, 0, dr, channel) == frame.mic for channel in channels)

    def _place(self, heard: Reception) -> tuple[int, int]:
        if self.window == 2:
            return self.rx["freq"], self.rx["dr"]
        dr = self.region.uplink_dr(heard.modulation)
        assert dr is not None
        return self.region.rx1(heard.freq_hz, dr, self.rx["offset"], self.region.downlink_dwell_400ms)

    def _send(self, phy: bytes, heard: Reception, place: tuple[int, int], delay_s: int) -> Transmission:
        assert heard.tmst_us is not None
        modulation = self.region.downlink_modulation(place[1])
        tmst_us = (heard.tmst_us + delay_s * 1_000_000) & 0xFFFF_FFFF
        return Transmission(phy, heard.gateway_eui, place[0], modulation, 14.0, tmst_us)


def joined(life: Life, network: Pair, dev_nonce: int = 1) -> None:
    """Let the device join."""
    (heard,) = life.exchange(network, life.join(dev_nonce))
    assert heard.joined
