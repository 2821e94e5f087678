"""Class A answers: waits for the last moment, decides what goes and in which window, and hands it to the sender.

An answer is decided `downlink_margin_ms` and the gateways' round trips before its window opens, so that an application
that is quick is heard in the same window.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from lns import metrics
from lns.config import Network as NetworkConfig
from lns.lorawan.airtime import airtime_us
from lns.lorawan.fcnt import MAX_FCNT
from lns.mac import class_c, dialogue, downlink, queue
from lns.mac.choice import Blocked, Cause, Need, decide_at
from lns.mac.dialogue import Request
from lns.mac.downlink import Content, Window
from lns.mac.frames import Reception
from lns.mac.ledger import ANSWER_SHARE, APPLICATION_SHARE
from lns.mac.queue import FHDR_OCTETS, FPORT_OCTETS, MAX_FOPTS_OCTETS, DownlinkItem, Offer
from lns.mac.refusal import Unsent
from lns.mac.session import Device, Session
from lns.mac.settings import RegionSettings
from lns.network.clocks import Clocks
from lns.network.notices import Notices
from lns.network.radios import Radios
from lns.network.sender import Chance, Sender, Sending
from lns.network.state import NetworkState

UNLIMITED_SHARE = 1e9
"""For a network whose gateways do not keep to a duty cycle."""
_EMPTY_FRAME = 5 + FHDR_OCTETS

SettingsOf = Callable[[str], RegionSettings]


class Owed(msgspec.Struct, frozen=True, gc=False):
    """What a device waits for: answers to its MAC commands, the acknowledgement of a confirmed uplink.

    `alone`: the queue has to wait.
    """

    answers: bytes = b""
    acks_fcnt_up: int | None = None
    alone: bool = False


class Answer:
    """The chance that one uplink opens: its windows and what is owed in them.

    `acks_fcnt_up` is the confirmed uplink to acknowledge, `asks` says that the device should be asked something.
    """

    __slots__ = (
        "acks_fcnt_up",
        "answers",
        "asks",
        "dr",
        "opened_at",
        "receptions",
        "scheduled",
        "session",
        "wants",
    )

    def __init__(
        self, session: Session, receptions: list[Reception], opened_at: float, dr: int, acks_fcnt_up: int | None
    ) -> None:
        self.session, self.receptions, self.opened_at, self.dr = session, receptions, opened_at, dr
        self.acks_fcnt_up = acks_fcnt_up
        self.answers = b""
        self.wants = False
        self.asks = False
        self.scheduled = False


class Downlinks:
    """Decides class A answers, and what a frame to a device carries whenever it goes."""

    def __init__(
        self,
        config: NetworkConfig,
        settings: SettingsOf,
        state: NetworkState,
        radios: Radios,
        sender: Sender,
        notices: Notices,
        clocks: Clocks,
    ) -> None:
        self._margin_s = config.downlink_margin_ms / 1000
        self._settings, self._state, self._radios = settings, state, radios
        self._sender, self._notices, self._clocks = sender, notices, clocks
        self._open: dict[int, Answer] = {}
        self._open_order: deque[tuple[float, int, Answer]] = deque()
        self.event = notices.event
        # a device may be sent to without an uplink again: its windows have passed, or what was sent is settled
        self.on_free: Callable[[Device, float], None] = lambda device, at: None
        self.on_busy: Callable[[Device, float], None] = lambda device, until: None

    def offer(self, answer: Answer, now: float) -> None:
        """An uplink was handled: answer it in time if something is owed, else keep the chance open for a while."""
        session = answer.session
        device = session.device
        while self._open_order and self._open_order[0][0] <= now:
            _, device_id, old = self._open_order.popleft()
            if self._open.get(device_id) is old:
                del self._open[device_id]
        self._open[device.id] = answer
        self._open_order.append((answer.opened_at + session.rx1_delay_s + 1.0, device.id, answer))
        if answer.wants or answer.asks or device.queue:
            self._schedule(answer, now)

    def enqueued(self, device: Device, now: float) -> bool:
        """A downlink was queued: the last uplink's window may still take it; False when there is none."""
        answer = self._open.get(device.id)
        if answer is None:
            return False
        if not answer.scheduled:
            self._schedule(answer, now)
        return True

    def _schedule(self, answer: Answer, now: float) -> None:
        answer.scheduled = True
        facts = self._radios.facts([r.gateway_eui for r in answer.receptions[:2]], now)
        opens_at = answer.opened_at + answer.session.rx1_delay_s
        delay_s = decide_at(opens_at, list(facts.values()), self._margin_s) - now
        asyncio.get_running_loop().call_later(max(0.0, delay_s), self.decide, answer)

    def decide(self, answer: Answer) -> None:
        """Choose content and windows, advance FCntDown, and hand the frame to the sender."""
        session, now = answer.session, self._clocks.monotonic()
        device = session.device
        if self._open.get(device.id) is answer:
            del self._open[device.id]
        windows = downlink.data_windows(device.region, session, answer.receptions, answer.dr)
        facts = self._radios.facts({window.reception.gateway_eui for window in windows}, now)
        need = self._need(answer)
        ordered = self._radios.chooser.order(windows, need, facts, now)
        alone = False
        if device.queue and not ordered.chances:  # the first item is in the way, but not of what is owed
            # one that is too long leaves the queue with its record, one that has to wait does not
            alone = any(one.cause is not Cause.TOO_LONG for one in ordered.blocked)
            if alone:
                self._hopeless(device, session, ordered.blocked)
            need = msgspec.structs.replace(need, octets=_EMPTY_FRAME + len(answer.answers))
            ordered = self._radios.chooser.order(windows, need, facts, now)
        free_at = class_c.free_at(answer.opened_at, session.rx1_delay_s)
        if not ordered.chances or exhausted(session):
            if answer.wants or (device.queue and not alone):
                self._hopeless(device, session, ordered.blocked)
            self.on_free(device, free_at)
            return
        requests = self.requests(session) if answer.asks else []
        on_air_us = self._clocks.utc_us() + int((answer.opened_at + session.rx1_delay_s - now) * 1e6)
        owed = Owed(answer.answers, answer.acks_fcnt_up, alone)
        content, asked = self.compose(session, ordered.chances, owed, requests, on_air_us)
        if content.item is None and not (answer.wants or asked):
            self.on_free(device, free_at)
            return
        sending = self.frame(session, content, asked, need)
        if sending.need.octets > need.octets:  # more goes than the windows were judged for
            ordered = self._radios.chooser.order(windows, sending.need, facts, now)
        sending.chances = list(ordered.chances)
        if device.settings.device_class != "A":
            ends_at = max([_ends_at(window, sending.need) for window in ordered.chances], default=free_at)
            self.on_busy(device, max(free_at, ends_at))
            self.on_free(device, free_at)
        self._sender.put(sending)

    def _need(self, answer: Answer) -> Need:
        """What is likely to go: the answers and the first item of the queue."""
        device = answer.session.device
        octets = _EMPTY_FRAME + len(answer.answers)
        if device.queue:
            octets += FPORT_OCTETS + len(device.queue[0].payload)
        owed = answer.acks_fcnt_up is not None or answer.answers
        share = self.share(device, ANSWER_SHARE if owed else APPLICATION_SHARE)
        return Need(device.region, octets, share, answer.opened_at)

    def requests(self, session: Session) -> list[Request]:
        """What the device should be asked by now."""
        return dialogue.due(session, self._settings(session.device.region.name), self._clocks.utc_us())

    def share(self, device: Device, share: float) -> float:
        """How much of the duty cycle a frame to this device may use."""
        return share if self._settings(device.region.name).duty_cycle else UNLIMITED_SHARE

    def compose(
        self, session: Session, chances: Sequence[Chance], owed: Owed, requests: Sequence[Request], on_air_us: int
    ) -> tuple[Content, list[Request]]:
        """What goes into the frame of `on_air_us` (UTC): MAC answers, then an item, then requests as there is room."""
        device, answers = session.device, owed.answers
        room, dr = _roomiest(chances)
        item, more = None, owed.alone
        if device.queue and not owed.alone:
            chosen = queue.choose(device.queue, device.awaiting_ack, Offer(room, dr, len(answers)), on_air_us)
            for closed in chosen.closed:
                self._notices.item(device, closed)
            item, more = chosen.item, chosen.more
        left = room - FHDR_OCTETS - len(answers)
        if item is not None:
            left = min(left - FPORT_OCTETS - len(item.payload), MAX_FOPTS_OCTETS - len(answers))
        asked, commands = _pack(answers, requests, left, item is None)
        return Content(item, commands, more, owed.acks_fcnt_up), asked

    def frame(self, session: Session, content: Content, asked: list[Request], need: Need) -> Sending:
        """Build the frame, use up its counter and note what it carries; the caller gives it its chances."""
        device, item = session.device, content.item
        built = downlink.build(session, content)
        downlink.advance(session, content)
        self._state.moved(session)
        if asked:
            dialogue.sent(session, asked, built.fcnt_down)
            self._state.retuned(session)
        need = msgspec.structs.replace(need, octets=len(built.phy_payload))
        sending = Sending("data" if item else "mac", device, built.phy_payload, (), need)
        sending.fcnt_down = built.fcnt_down
        if item is not None:
            sending.item = queue.taken(item, built.fcnt_down)
            sending.done = self._settled
            if item.confirmed:
                device.awaiting_ack = sending.item
            self._state.downlink(sending.item, self._clocks.utc_us())
        return sending

    def _settled(self, sending: Sending, chance: Chance | None, problem: str) -> None:
        """An item whose frame no gateway took goes back to its place in the queue."""
        device, item = sending.device, sending.item
        assert device is not None
        assert item is not None
        if chance is None:
            if device.awaiting_ack is item:
                device.awaiting_ack = None
            self._requeue(device, queue.returned(item, problem))
        self.on_free(device, self._clocks.monotonic())

    def _requeue(self, device: Device, item: DownlinkItem) -> None:
        device.queue = device.queue if device.queue is not None else deque()
        queue.insert(device.queue, item)
        self._notices.item(device, item)

    def acknowledged(self, device: Device, ack: bool) -> None:
        """The first new uplink after a confirmed downlink says whether it arrived."""
        if ack:
            item, device.awaiting_ack = device.awaiting_ack, None
            if item is not None:
                self._notices.item(device, queue.acknowledged(item))
        else:
            self.unacknowledged(device, "the next uplink did not acknowledge it")

    def unacknowledged(self, device: Device, why: str) -> None:
        """The outstanding item was not received, or its acknowledgement was not: again, or given up."""
        item, device.awaiting_ack = device.awaiting_ack, None
        if item is None:
            return
        after = queue.unacknowledged(item, device.settings.confirmed_attempts, why)
        if after.state == "queued":
            self._requeue(device, after)
        else:
            self._notices.item(device, after)

    def close_item(self, device: Device, item: DownlinkItem) -> None:
        """An item has reached its last state: keep it, tell outlets and watchers."""
        self._notices.item(device, item)

    def _hopeless(self, device: Device, session: Session, blocked: Sequence[Blocked]) -> None:
        """No window can be used: what waits stays in the queue."""
        if exhausted(session):
            text = f"the downlink counter is used up at {MAX_FCNT}, the device must join again"
            self._notices.downlink_failed(device, Unsent.FCNT_EXHAUSTED, text, None)
        elif not blocked:
            text = "no gateway that heard the uplink gives a time to answer by"
            self._notices.downlink_failed(device, Unsent.NO_GATEWAY, text, None)
        for one in blocked:
            metrics.downlinks.inc("data", str(one.cause))
            text = f"{one.window} on {one.gateway_eui}: {one.text}"
            self._notices.downlink_failed(device, Unsent(f"downlink_{one.cause}"), text, one.gateway_eui)

    def send_join_accept(self, device: Device, accept: bytes, windows: list[Window], opened_at: float) -> None:
        """Send once the session, the DevNonce and the JoinNonce are durable."""
        now = self._clocks.monotonic()
        facts = self._radios.facts({window.reception.gateway_eui for window in windows}, now)
        need = Need(device.region, len(accept), self.share(device, ANSWER_SHARE), opened_at)
        ordered = self._radios.chooser.order(windows, need, facts, now)
        if not ordered.chances:
            for one in ordered.blocked:
                text = f"join-accept, {one.window} on {one.gateway_eui}: {one.text}"
                self._notices.downlink_failed(device, Unsent(f"downlink_{one.cause}"), text, one.gateway_eui)
        self._sender.put(Sending("join_accept", device, accept, ordered.chances, need))


def _ends_at(window: Window, need: Need) -> float:
    return need.opened_at + window.delay_s + airtime_us(window.modulation, need.octets, False) / 1e6


def exhausted(session: Session) -> bool:
    """Whether a downlink counter has come to its end, after which nothing can be sent under these keys."""
    return session.fcnt_down >= MAX_FCNT or session.afcnt_down >= MAX_FCNT


def _roomiest(chances: Sequence[Chance]) -> tuple[int, int]:
    """Octets and data rate of the chance that carries most."""
    return max([(c.room, c.dr) if isinstance(c, Window) else (c.tuning.room, c.tuning.dr) for c in chances])


def _pack(answers: bytes, requests: Sequence[Request], left: int, alone: bool) -> tuple[list[Request], bytes]:
    """The requests that fit behind the answers; `alone`: without an item, so that they may go on FPort 0."""
    commands, asked = answers, []
    for request in requests:
        octets = len(request.octets)
        # on FPort 0 the commands are the payload, and the FPort takes an octet
        cost = octets + (FPORT_OCTETS if alone and len(commands) + octets > MAX_FOPTS_OCTETS else 0)
        if cost <= left:
            commands += request.octets
            asked.append(request)
            left -= octets
    return asked, commands
