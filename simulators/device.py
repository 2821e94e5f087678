"""A LoRaWAN 1.0.x class A end-device: activation, uplinks, downlinks, receive windows. Pure: nonces are given."""

import struct

import msgspec

from lns.lorawan.crypto import DOWN, UP, decrypt_join_accept, join_request_mic, session_keys_1_0
from lns.lorawan.errors import FrameError
from lns.lorawan.modulation import Modulation
from lns.lorawan.phy import ACK, ADR, ADR_ACK_REQ, MAX_FOPTS, DataFrame, JoinAccept, build_join_request, parse
from lns.lorawan.regions.region import Channel, Region
from simulators.channels import ChannelPlan
from simulators.identity import Identity
from simulators.maccommands import Answers, MacState
from simulators.session import Fault, Session

ADR_ACK_LIMIT = 64  # uplinks without a downlink until the device asks for one

_FHDR = struct.Struct("<B4sBH")


class Received(msgspec.Struct, frozen=True):
    """A downlink that was accepted; `commands` are the names of its MAC commands."""

    fcnt: int
    ack: bool
    confirmed: bool
    fpending: bool
    fport: int | None
    payload: bytes
    commands: tuple[str, ...]


class Device:
    """One device. `join_request` and `accept` activate it over the air, `personalise` by its own keys."""

    def __init__(self, number: int, identity: Identity, region: Region, data_rate: int, sub_band: int = 0) -> None:
        self.number = number
        self.identity = identity
        self.session: Session | None = None
        self.mac = MacState(ChannelPlan(region, sub_band), data_rate)
        self.adr = False
        self.dev_nonce = -1
        self._join_nonce = -1
        self._answers = Answers()
        self._ack_due = False
        self._adr_ack_cnt = 0
        self._hops = self.mac.plan.usable(data_rate)

    def personalise(self, fcnt_up: int = 0, fcnt_down: int = -1) -> None:
        """Activate by personalisation; `fcnt_up` is the next counter to send, `fcnt_down` the last one received."""
        identity = self.identity
        self.session = Session(identity.dev_addr, identity.nwk_s_key, identity.app_s_key)
        self.session.fcnt_up, self.session.fcnt_down = fcnt_up, fcnt_down

    def join_request(self, dev_nonce: int) -> bytes:
        """The PHYPayload of a join-request."""
        self.dev_nonce = dev_nonce
        message = build_join_request(self.identity.join_eui, self.identity.dev_eui, dev_nonce)
        return message + join_request_mic(self.identity.app_key, message)

    def accept(self, phy: bytes) -> JoinAccept | Fault:
        """Take the join-accept that answers the last join-request."""
        app_key = self.identity.app_key
        try:
            accept = decrypt_join_accept(app_key, phy)
        except FrameError as error:
            return Fault.MIC if error.reason == "mic" else Fault.MALFORMED
        if accept.join_nonce == self._join_nonce:
            return Fault.REPEATED
        self._join_nonce = accept.join_nonce
        keys = session_keys_1_0(app_key, accept.join_nonce, accept.net_id, self.dev_nonce)
        self.session = Session(accept.dev_addr, *keys)
        self.mac.start(accept)
        self._answers = Answers()
        self._ack_due = False
        self._adr_ack_cnt = 0
        self._hops = self.mac.plan.usable(self.mac.data_rate)
        return accept

    def uplink(self, fport: int, payload: bytes, confirmed: bool = False, asks: bytes = b"") -> bytes:
        """The PHYPayload of the next uplink; `asks` are encoded MAC requests of the device.

        The header is packed by hand: `build_data` converts the DevAddr every time, and a simulated uplink has to be
        cheap enough to share a machine with the server it loads.
        """
        session = self.session
        if session is None:
            raise ValueError(f"device {self.identity.dev_eui} has no session")
        fcnt = session.fcnt_up
        session.fcnt_up = fcnt + 1
        fopts = self._answers.take(MAX_FOPTS - len(asks)) + asks if asks or self._answers else b""
        address = session.dev_addr_le
        message = (
            _FHDR.pack(0x80 if confirmed else 0x40, address, len(fopts) | self._flags(), fcnt & 0xFFFF)
            + fopts
            + bytes((fport,))
            + session.app.apply(payload, address, fcnt, UP)
        )
        return message + session.mic.mic(message, address, fcnt, UP)

    def receive(self, phy: bytes) -> Received | Fault:
        """Take a data frame that came in a receive window: check it and act on it."""
        frame = _downlink(phy)
        session = self.session
        if frame is None or session is None:
            return Fault.MALFORMED
        fcnt = session.take_downlink(phy, frame.fcnt16)
        return fcnt if isinstance(fcnt, Fault) else self._act(frame, session, fcnt)

    def miss(self, phy: bytes) -> Fault | None:
        """Keep account of a data frame that was sent to this device and that it did not hear."""
        frame = _downlink(phy)
        session = self.session
        if frame is None or session is None:
            return Fault.MALFORMED
        fcnt = session.note_downlink(phy, frame.fcnt16)
        return fcnt if isinstance(fcnt, Fault) else None

    def window_s(self, join: bool) -> int:
        """When the first receive window opens after an uplink; the second one follows a second later."""
        return self.mac.plan.region.join_accept_delay1_s if join else self.mac.rx1_delay_s

    def listens(self, window: int, join: bool, channel: Channel, uplink_dr: int) -> tuple[int, Modulation]:
        """Frequency and modulation of receive window 1 or 2 after an uplink on `channel`."""
        region, mac = self.mac.plan.region, self.mac
        if window == 1:
            freq_hz, dr = region.rx1(channel.freq_hz, uplink_dr, 0 if join else mac.rx1_dr_offset)
            freq_hz = mac.plan.rx1_freq_hz.get(channel.index, freq_hz)
        elif join:
            freq_hz, dr = region.rx2_freq_hz, region.rx2_dr
        else:
            freq_hz, dr = mac.rx2_freq_hz, mac.rx2_dr
        return freq_hz, region.downlink_modulation(dr)

    def hop(self, step: int) -> Channel:
        """The channel of transmission number `step`."""
        return self._hops[step % len(self._hops)]

    def join_hop(self, step: int) -> tuple[Channel, int]:
        """Channel and data rate of join-request number `step`: any channel, a fixed plan at that channel's slowest."""
        mac = self.mac
        channels = [channel for channel in mac.plan.channels.values() if mac.plan.mask >> channel.index & 1]
        channel = channels[step % len(channels)]
        return channel, channel.min_dr if mac.plan.region.plan == "fixed" else mac.data_rate

    def _flags(self) -> int:
        flags = 0
        if self._ack_due:
            flags = ACK
            self._ack_due = False
        if self.adr:
            flags |= ADR
            self._adr_ack_cnt += 1
            if self._adr_ack_cnt > ADR_ACK_LIMIT:
                flags |= ADR_ACK_REQ
        return flags

    def _act(self, frame: DataFrame, session: Session, fcnt: int) -> Received:
        payload = session.crypt(frame.fport, frame.frm_payload, fcnt, DOWN)
        fopts = frame.fopts
        if frame.fport == 0:
            fopts, payload = payload, b""
        self._adr_ack_cnt = 0
        self._answers.heard()
        names: tuple[str, ...] = ()
        if fopts:
            names = self.mac.handle(fopts, self._answers)
            self._hops = self.mac.plan.usable(self.mac.data_rate)
        self._ack_due = self._ack_due or frame.confirmed
        return Received(fcnt, frame.ack, frame.confirmed, frame.fpending, frame.fport, payload, names)


def _downlink(phy: bytes) -> DataFrame | None:
    try:
        frame = parse(phy)
    except FrameError:
        return None
    return frame if isinstance(frame, DataFrame) and not frame.uplink else None
