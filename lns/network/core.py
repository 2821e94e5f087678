"""The shell that ties gateways, MAC, sessions and exchange together. It reads like the data path:

receptions -> deduplicate -> parse -> match session -> handle -> exchange, and the answer in RX1 or RX2 beside it.
"""

import asyncio
import logging
import struct
from collections.abc import Iterable

from lns import metrics
from lns.config import Network as NetworkConfig
from lns.exchange.records import Rx, Uplink
from lns.exchange.sqlite import SqliteExchange
from lns.live import Live
from lns.lorawan.errors import FrameError
from lns.lorawan.phy import ADR, DataFrame, JoinRequest, MType, RejoinRequest, parse_uplink
from lns.mac import dialogue, uplink
from lns.mac.answers import answer as answer_commands
from lns.mac.dedup import Copy, Deduplicator, Heard
from lns.mac.dialogue import UplinkFacts
from lns.mac.downlink import uplink_allowed
from lns.mac.frames import Reception, strongest_first
from lns.mac.history import History
from lns.mac.match import Kind, Match, match
from lns.mac.refusal import Reason, Refused
from lns.mac.session import Device, Session
from lns.network import show
from lns.network.clock_sync import ClockSync
from lns.network.clocks import Clocks
from lns.network.devices import Devices
from lns.network.downlinks import Answer, Downlinks
from lns.network.joins import Joins
from lns.network.listening import Listening
from lns.network.notices import Notices
from lns.network.radios import Radios
from lns.network.state import NetworkState

_logger = logging.getLogger(__name__)

_UPLINK_ID = struct.Struct(">QII")
"""An uplink's id: session (random, never reused), FCntUp, device. The same for a frame that comes again."""

# Enum members by name cost 0.2 us each on Python 3.11: hot code keeps them
_FIRST, _COPY = Copy.FIRST, Copy.COPY
_REPEATED, _RESET = Kind.REPEATED, Kind.RESET

CLOCK_SYNC_FPORT = 202  # TS003

TIMER_GRAIN_S = 0.004
"""Windows that close this close together are handled in one go."""


class Core:
    """The path of an uplink. Every method runs on the event loop and returns quickly."""

    def __init__(
        self,
        config: NetworkConfig,
        exchange: SqliteExchange,
        state: NetworkState,
        devices: Devices,
        downlinks: Downlinks,
        listening: Listening,
        joins: Joins,
        clock_sync: ClockSync,
        radios: Radios,
        notices: Notices,
        live: Live,
        clocks: Clocks,
    ) -> None:
        self._exchange, self._state, self._live, self._clocks = exchange, state, live, clocks
        self._devices, self._downlinks, self._listening = devices, downlinks, listening
        self._joins, self._clock_sync, self._radios, self._notices = joins, clock_sync, radios, notices
        self._dedup = Deduplicator(config.dedup_window_ms / 1000, config.late_window_ms / 1000)
        self._timer: asyncio.TimerHandle | None = None

    def receive(self, receptions: Iterable[Reception], now: float) -> None:
        """Take what a gateway heard; `now` is monotonic seconds."""
        add = self._dedup.add
        for reception in receptions:
            copy = add(reception, now)
            if copy is not _FIRST and copy is not _COPY:
                metrics.dedup_late.inc(copy.value)
        if self._timer is None:
            self._arm()

    def _arm(self) -> None:
        deadline = self._dedup.deadline()
        if deadline is not None:
            delay_s = max(deadline - self._clocks.monotonic(), TIMER_GRAIN_S)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._expire)

    def _expire(self) -> None:
        self._timer = None
        for heard in self._dedup.expire(self._clocks.monotonic()):
            self._guard(heard)
        self._arm()

    def drain(self) -> None:
        """Handle every frame whose window is still open, for an orderly stop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for heard in self._dedup.drain():
            self._guard(heard)

    def _guard(self, heard: Heard) -> None:
        try:
            self._handle(heard)
        except Exception:
            phy_payload = heard.receptions[0].phy_payload.hex()
            _logger.exception("a frame could not be handled", extra={"phy_payload": phy_payload})
            metrics.uplinks.inc("error")

    def _handle(self, heard: Heard) -> None:
        receptions = heard.receptions
        if len(receptions) > 1:
            receptions = strongest_first(receptions)
        best = receptions[0]
        metrics.dedup_copies.observe(len(receptions))
        if self._exchange.behind:
            self._refuse(
                Refused(Reason.LOG_BEHIND, "the log cannot be written fast enough, see lns exchange status"), best
            )
            return
        try:
            frame = parse_uplink(best.phy_payload)
        except FrameError as error:
            self._refuse(Refused(Reason(error.reason), str(error)), best)
            return
        if type(frame) is DataFrame:
            self._data(frame, receptions, heard.opened_at)
        elif type(frame) is JoinRequest:
            refused = self._joins.handle(frame, receptions, heard.opened_at)
            metrics.joins.inc(refused.reason if refused else "accepted")
            if refused:
                self._refuse(refused, best)
        elif type(frame) is RejoinRequest:
            refused = self._joins.handle_rejoin(frame, receptions, heard.opened_at)
            metrics.joins.inc(refused.reason if refused else "rejoined")
            if refused:
                self._refuse(refused, best)

    def _data(self, frame: DataFrame, receptions: list[Reception], opened_at: float) -> None:
        best = receptions[0]
        candidates = self._devices.sessions.candidates(frame.dev_addr)
        if not candidates:
            self._refuse(Refused(Reason.UNKNOWN_DEV_ADDR, self._devices.stranger(frame.dev_addr), frame.dev_addr), best)
            return
        found = match(frame, best.phy_payload, candidates, receptions)
        if type(found) is Refused:
            self._refuse(found, best)
            return
        assert type(found) is Match
        device = found.session.device
        dr = device.region.uplink_dr(best.modulation)
        problem = _unfit(frame, best, device, dr)
        if problem is not None or dr is None:
            self._refuse(problem or Refused(Reason.DATA_RATE_NOT_IN_REGION, ""), best)
            return
        handled = uplink.handle(frame, found)
        session = self._advance(found, best)
        answer = Answer(session, receptions, opened_at, dr, found.fcnt if frame.confirmed else None)
        answer.wants = handled.wants_downlink
        if found.kind is _REPEATED:
            metrics.uplinks.inc("repeated")
            if handled.commands:
                answer.answers = answer_commands(handled.commands, receptions, self._radios.one_way_s(receptions))
                answer.wants |= bool(answer.answers)
        else:
            self._new(answer, frame, handled, found)
        self._downlinks.offer(answer, self._clocks.monotonic())

    def _new(self, answer: Answer, frame: DataFrame, handled: uplink.Handled, found: Match) -> None:
        """What an uplink that was not seen before brings about, beside its answer."""
        session, receptions, dr, fcnt = answer.session, answer.receptions, answer.dr, found.fcnt
        device, adr = session.device, frame.fctrl & ADR != 0
        history = session.history
        if history is None:
            history = session.history = History()
        history.add(fcnt, dr, adr, receptions, self._radios.numbers)
        if device.settings.device_class != "A":
            self._listening.heard(session, frame, answer.opened_at)
        if device.awaiting_ack is not None and not self._listening.on_air(device, answer.opened_at):
            self._downlinks.acknowledged(device, found.acks)
        if handled.commands:
            at_us, one_way_s = receptions[0].received_at_us, self._radios.one_way_s(receptions)
            self._converse(answer, handled, UplinkFacts(receptions, fcnt, dr, adr, at_us, one_way_s))
        if dialogue.needs(session):
            answer.asks = bool(self._downlinks.requests(session))
        if handled.fport == CLOCK_SYNC_FPORT and device.settings.clock_sync:
            self._clock_sync.uplink(session, handled.data, receptions)
        if receptions[0].gps_time_ms is not None:
            self._radios.with_gps.update([r.gateway_eui for r in receptions if r.gps_time_ms is not None])
        self._exchange.put("uplink", _record(session, frame, handled, receptions, dr, fcnt))
        metrics.uplinks.inc("accepted")
        if self._live.watched:
            self._live.publish(show.uplink(device, fcnt, frame.fport, dr, receptions))

    def _converse(self, answer: Answer, handled: uplink.Handled, facts: UplinkFacts) -> None:
        """Act on the device's MAC commands."""
        session = answer.session
        taken = dialogue.take(session, handled.commands, facts)
        answer.answers = taken.answers
        answer.wants |= taken.wants
        if taken.changed:
            self._state.retuned(session)
        for kind, data in taken.events:
            self._notices.event(kind, session.device, facts.at_us, **data)
            self._notices.shown(kind, session.device, facts.at_us, **data)

    def _advance(self, found: Match, best: Reception) -> Session:
        """Move the session on, in memory and with the next commit."""
        session = found.session
        if not session.warm_noted:
            self._devices.sessions.warmed(session)
        if found.kind is _REPEATED:
            return session
        if found.kind is _RESET:
            session = self._devices.renew(session, best.received_at_us)
        if session.device.pending is session:
            self._devices.promote(session)
            self._downlinks.unacknowledged(session.device, "the device joined again")
        session.fcnt_up = found.fcnt
        session.last_uplink_at_us = best.received_at_us
        self._state.moved(session)
        return session

    def _refuse(self, refused: Refused, best: Reception) -> None:
        metrics.refusals.inc(refused.reason)
        metrics.uplinks.inc("refused")
        self._live.refuse(show.refusal(refused, best))


def _unfit(frame: DataFrame, best: Reception, device: Device, dr: int | None) -> Refused | None:
    """A frame with a valid MIC that its region or version forbids."""
    if dr is None:
        text = f"{show.modulation_text(best.modulation)} is no uplink data rate of {device.region.name}"
        return Refused(Reason.DATA_RATE_NOT_IN_REGION, text, frame.dev_addr, device.dev_eui)
    if not uplink_allowed(device.region.name, best.freq_hz):
        text = f"{best.freq_hz} Hz is no uplink frequency of {device.region.name}"
        return Refused(Reason.FREQUENCY_NOT_IN_REGION, text, frame.dev_addr, device.dev_eui)
    if frame.fport == 0 and frame.fopts:
        text = "mac commands in fopts and on fport 0 at once"
        return Refused(Reason.FOPTS_WITH_FPORT0, text, frame.dev_addr, device.dev_eui)
    # LoRaWAN 1.0.4 devices must keep to the limit of the data rate; earlier ones are taken as they come
    octets, room = len(best.phy_payload) - 5, device.region.max_macpayload(dr)
    if device.lorawan_version == "1.0.4" and room is not None and octets > room:
        text = f"macpayload is {octets} octets, at most {room} fit at dr {dr}"
        return Refused(Reason.PAYLOAD_TOO_LONG, text, frame.dev_addr, device.dev_eui)
    return None


def _record(
    session: Session, frame: DataFrame, handled: uplink.Handled, receptions: list[Reception], dr: int, fcnt: int
) -> Uplink:
    device, best = session.device, receptions[0]
    # by position: building a struct by keyword takes six times as long
    return Uplink(
        _UPLINK_ID.pack(session.id, fcnt, device.id & 0xFFFF_FFFF),
        device.id,
        device.application_id,
        device.dev_eui,
        session.dev_addr,
        fcnt,
        handled.fport,
        handled.data,
        frame.mtype == MType.CONFIRMED_UP,
        frame.fctrl & ADR != 0,
        dr,
        best.freq_hz,
        best.modulation,
        best.received_at_us if len(receptions) == 1 else min([r.received_at_us for r in receptions]),
        tuple([_rx(r) for r in receptions]),
        device.region.name,
    )


def _rx(r: Reception) -> Rx:
    return Rx(
        r.gateway_eui,
        r.rssi_dbm,
        r.snr_db,
        r.tmst_us,
        r.received_at_us,
        r.chan,
        r.rf_chain,
        r.antenna,
        r.gateway_time_us,
        r.gps_time_ms,
        r.fine_time_ns,
        r.freq_offset_hz,
    )
