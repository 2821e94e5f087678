"""A LoRaWAN end-device of any version: activation, uplinks, downlinks, receive windows. Pure: nonces are given."""

import struct

import msgspec

from lns.lorawan.crypto import DOWN, UP
from lns.lorawan.errors import FrameError
from lns.lorawan.modulation import Modulation
from lns.lorawan.phy import ACK, ADR, CLASS_B, MAX_FOPTS, DataFrame, JoinAccept, parse
from lns.lorawan.regions.region import Channel, Region
from simulators.activation import Activation
from simulators.adr import count_uplink
from simulators.channels import ChannelPlan
from simulators.classes import Classes
from simulators.firmware import ORDINARY, Firmware
from simulators.identity import Identity
from simulators.maccommands.answers import Answers
from simulators.maccommands.obey import obey
from simulators.maccommands.state import MacState
from simulators.multicast import Group
from simulators.session import Fault, Session
from simulators.session11 import Session11

OUTSIDE = 0
"""The window of a downlink in a ping slot, or to a class C device at any time."""

_FHDR = struct.Struct("<B4sBH")
_NO_ACK = -1
_MAX_ANSWERS = 51  # octets of MAC commands on FPort 0, which fit at every data rate


class Received(msgspec.Struct, frozen=True):
    """A downlink that was accepted; `commands` are the names of its MAC commands, `group` its multicast address."""

    fcnt: int
    ack: bool
    confirmed: bool
    fpending: bool
    fport: int | None
    payload: bytes
    commands: tuple[str, ...]
    group: str | None = None


class _Draft(msgspec.Struct, frozen=True):
    """The head of an uplink; `conf_fcnt` is the counter of the downlink that it acknowledges, else 0."""

    mhdr: int
    flags: int
    fcnt: int
    conf_fcnt: int


class Device:
    """One device. `join_request` and `accept` activate it over the air, `personalise` by its own keys."""

    def __init__(
        self, number: int, identity: Identity, region: Region, data_rate: int, firmware: Firmware = ORDINARY
    ) -> None:
        self.number = number
        self.identity = identity
        self.firmware = firmware
        self.session: Session | Session11 | None = None
        self.mac = MacState(ChannelPlan(region, firmware.sub_band), data_rate, firmware)
        self.answers = Answers(firmware.version.sticky, self.mac.lapses)
        self.activation = Activation(identity, firmware.version, firmware.fopts_before_erratum)
        self.classes = Classes(self.mac, self.answers)
        self.groups: dict[str, Group] = {}
        self._ack_due = _NO_ACK  # counter of the confirmed downlink to acknowledge
        self._steady_flags = 0  # of FCtrl, in every uplink
        self._fcnt_step = 1 + firmware.misbehaviour.skips_counters
        self._resets_counters = firmware.misbehaviour.resets_counters_every > 0
        self._sent = b""
        self._join_freq_hz: int | None = None
        self._hops = self.mac.plan.usable(data_rate)

    @property
    def adr(self) -> bool:
        return self.mac.adr

    @adr.setter
    def adr(self, on: bool) -> None:
        self.mac.adr = on
        self._refresh()

    @property
    def dev_nonce(self) -> int:
        """Of the last join-request."""
        return self.activation.dev_nonce

    @property
    def must_join(self) -> bool:
        """Whether there is no session, or one whose RekeyInd no network answered within ADR_ACK_LIMIT uplinks."""
        session = self.session
        if session is None:
            return True
        return session.fcnt_up > self.mac.adr_ack_limit and self.answers.asks_for("RekeyConf")

    def personalise(self, fcnt_up: int = 0, fcnt_down: int = -1) -> None:
        """Activate by personalisation; `fcnt_up` is the next counter to send, `fcnt_down` the last one received."""
        self.session = self.activation.personalised()
        self.session.fcnt_up, self.session.fcnt_down = fcnt_up, fcnt_down
        if self.session.minor:
            self.answers.ask("ResetInd", "ResetConf", minor=1)

    def join_request(self, dev_nonce: int) -> bytes:
        """The PHYPayload of a join-request."""
        if self.firmware.misbehaviour.repeats_dev_nonce and self.dev_nonce >= 0:
            dev_nonce = self.dev_nonce
        return self.activation.join_request(dev_nonce)

    def rejoin_request(self, rejoin_type: int) -> bytes:
        """The PHYPayload of a rejoin-request. ValueError without a session of LoRaWAN 1.1."""
        if not isinstance(self.session, Session11):
            raise ValueError(f"device {self.identity.dev_eui} has no session of lorawan 1.1 to rejoin from")
        return self.activation.rejoin_request(rejoin_type, self.session)

    def accept(self, phy: bytes) -> JoinAccept | Fault:
        """Take the join-accept that answers the last join- or rejoin-request."""
        granted = self.activation.accept(phy)
        if isinstance(granted, Fault):
            return granted
        self.session = granted.session
        if not granted.keeps_radio:
            self.answers.clear()
            self.mac.start(granted.accept, self._join_freq_hz)
        if granted.session.minor:
            self.answers.ask("RekeyInd", "RekeyConf", minor=1)
        self.mac.adr_ack_cnt = 0
        self._ack_due = _NO_ACK
        self._refresh()
        return granted.accept

    def uplink(self, fport: int | None, payload: bytes, confirmed: bool = False, asks: bytes = b"") -> bytes:
        """The PHYPayload of the next uplink; `asks` are MAC commands beside those owed, which FPort 0 carries itself.

        A 1.1 session signs it for the channel `hop(FCnt)`; `on_channel` gives it for another one.
        """
        session = self.session
        if session is None:
            raise ValueError(f"device {self.identity.dev_eui} has no session")
        if self._resets_counters and self.mac.lapses.resets_counters(session.fcnt_up):
            session.reset_counters()
        fcnt = session.fcnt_up
        session.fcnt_up = fcnt + self._fcnt_step
        flags, acked = self._steady_flags, self._ack_due
        if acked != _NO_ACK:
            flags |= ACK
            self._ack_due = _NO_ACK
        if flags & ADR:
            flags |= self._count_uplink()
        mhdr = 0x80 if confirmed else 0x40
        if not fport or isinstance(session, Session11):
            self._sent = phy = self._compose(session, _Draft(mhdr, flags, fcnt, max(acked, 0)), fport, payload, asks)
            return phy
        fopts = self.answers.take(MAX_FOPTS - len(asks)) + asks if asks or self.answers else b""
        address = session.dev_addr_le
        message = (
            _FHDR.pack(mhdr, address, len(fopts) | flags, fcnt & 0xFFFF)
            + fopts
            + bytes((fport,))
            + session.app.apply(payload, address, fcnt, UP)
        )
        self._sent = phy = message + session.mic.mic(message, address, fcnt, UP)
        return phy

    def on_channel(self, channel: Channel) -> bytes:
        """The last uplink, once more or for the first time, as it is sent on `channel`: a 1.1 MIC depends on it."""
        if isinstance(self.session, Session11):
            self._sent = self.session.sign(self.mac.data_rate, channel.index)
        return self._sent

    def receive(self, phy: bytes, window: int = 1) -> Received | Fault:
        """Take a data frame that came in receive window 1 or 2 or OUTSIDE of them: check it and act on it."""
        frame = _downlink(phy)
        session = self.session
        if frame is None or session is None:
            return Fault.MALFORMED
        if frame.dev_addr in self.groups:
            return self._receive_as_member(self.groups[frame.dev_addr], frame, phy)
        if self.mac.lapses.misses_downlink():
            session.note_downlink(phy, frame.fcnt16)
            return Fault.MISSED
        fcnt = session.take_downlink(phy, frame.fcnt16)
        return fcnt if isinstance(fcnt, Fault) else self._act(frame, session, fcnt, window)

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
        return self.mac.region.join_accept_delay1_s if join else self.mac.rx1_delay_s

    def listens(self, window: int, join: bool, channel: Channel, uplink_dr: int) -> tuple[int, Modulation]:
        """Frequency and modulation of receive window 1 or 2 after an uplink on `channel`."""
        mac = self.mac
        region = mac.region
        if join:
            freq_hz, dr = (
                region.join_rx1(channel.freq_hz, uplink_dr) if window == 1 else region.join_rx2(channel.freq_hz)
            )
        elif window == 1:
            freq_hz, dr = region.rx1(channel.freq_hz, uplink_dr, mac.rx1_dr_offset, mac.downlink_dwell)
            freq_hz = mac.plan.rx1_freq_hz.get(channel.index, freq_hz)
        else:
            freq_hz, dr = mac.rx2_freq_hz, mac.rx2_dr
        return freq_hz, region.downlink_modulation(dr)

    def hop(self, step: int) -> Channel:
        """The channel of transmission number `step`."""
        return self._hops[step % len(self._hops)]

    def join_hop(self, step: int) -> tuple[Channel, int]:
        """Channel and data rate of join-request number `step`: a fixed plan at the channel's slowest."""
        mac = self.mac
        channels = mac.plan.join_channels()
        channel = channels[step % len(channels)]
        self._join_freq_hz = channel.freq_hz
        possible = [dr for dr in mac.region.join_drs if channel.min_dr <= dr <= channel.max_dr and mac.may_use(dr)]
        keeps = mac.region.plan == "dynamic" and mac.data_rate in possible
        return channel, mac.data_rate if keeps else possible[0]

    def want_class(self, device_class: str, periodicity: int = 0) -> None:
        """Become class A, B (with a ping slot every 2**`periodicity` seconds) or C, as soon as the version allows."""
        self.classes.want(device_class, self.session.minor if self.session else 0, periodicity)
        self._refresh()

    def ping_slot(self, at_us: float, tolerance_us: int = 0) -> tuple[int, Modulation] | None:
        """Frequency and modulation it listens with in a ping slot that starts at an instant UTC; None: in no slot."""
        return self.classes.ping_slot(self.session.dev_addr, at_us, tolerance_us) if self.session else None

    def heard_beacon(self, gps_s: int) -> None:
        """A beacon of class B came."""
        self.classes.heard_beacon(gps_s)
        self._refresh()

    def expire(self, gps_s: float) -> None:
        """Leave class B if the last beacon is too long ago."""
        self.classes.expire(gps_s)
        self._refresh()

    def _refresh(self) -> None:
        """Work out anew what every uplink needs, after something has changed."""
        mac = self.mac
        self._hops = mac.plan.usable(mac.data_rate)
        self._steady_flags = (ADR if mac.adr else 0) | (CLASS_B if mac.device_class == "B" else 0)

    def _count_uplink(self) -> int:
        flags = count_uplink(self.mac)
        if flags:
            self._refresh()
        return flags

    def _compose(
        self, session: Session | Session11, draft: _Draft, fport: int | None, payload: bytes, asks: bytes
    ) -> bytes:
        """The less usual frames: of 1.1 sessions, without FPort, and on FPort 0, whose payload are the commands."""
        fcnt = draft.fcnt
        fopts = self.answers.take((_MAX_ANSWERS if fport == 0 else MAX_FOPTS) - len(asks)) + asks
        if fport == 0:
            payload, fopts = fopts, b""
        head = _FHDR.pack(draft.mhdr, session.dev_addr_le, draft.flags | len(fopts), fcnt & 0xFFFF)
        body = b"" if fport is None else bytes((fport,)) + session.crypt(fport, payload, fcnt, UP)
        if isinstance(session, Session11):
            session.compose(head + session.conceal(fopts, fcnt) + body, fcnt, draft.conf_fcnt)
            return session.sign(self.mac.data_rate, self.hop(fcnt).index)
        message = head + fopts + body
        return message + session.mic.mic(message, session.dev_addr_le, fcnt, UP)

    def _act(self, frame: DataFrame, session: Session | Session11, fcnt: int, window: int) -> Received:
        payload = session.crypt(frame.fport, frame.frm_payload, fcnt, DOWN)
        fopts = session.clear_fopts(frame.fopts, fcnt, frame.fport) if frame.fopts else b""
        if frame.fport == 0:
            fopts, payload = payload, b""
        self.mac.adr_ack_cnt = 0
        if window != OUTSIDE:
            self.answers.heard()
        names: tuple[str, ...] = ()
        if fopts:
            names = obey(self.mac, fopts, self.answers)
            if "ResetConf" in names:
                self.classes.want_again()
            self.classes.settle()
            self._refresh()
        if frame.confirmed:
            self._ack_due = fcnt
        return Received(fcnt, frame.ack, frame.confirmed, frame.fpending, frame.fport, payload, names)

    def _receive_as_member(self, group: Group, frame: DataFrame, phy: bytes) -> Received | Fault:
        taken = group.receive(frame, phy)
        if isinstance(taken, Fault):
            return taken
        fcnt, payload = taken
        return Received(fcnt, False, False, False, frame.fport, payload, (), group.mc_addr)


def _downlink(phy: bytes) -> DataFrame | None:
    try:
        frame = parse(phy)
    except FrameError:
        return None
    return frame if isinstance(frame, DataFrame) and not frame.uplink else None
