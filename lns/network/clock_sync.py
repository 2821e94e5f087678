"""Application-layer clock synchronisation (TS003): the server answers a device's AppTimeReq itself."""

import uuid
from collections import deque

from lns.lorawan.airtime import airtime_us
from lns.mac import clock_sync, queue
from lns.mac.answers import end_of_uplink_gps_s
from lns.mac.frames import Reception
from lns.mac.queue import DownlinkItem
from lns.mac.session import Session
from lns.network.clocks import Clocks
from lns.network.notices import Notices
from lns.network.radios import Radios

PRIORITY = 100
"""Ahead of what applications queue: the answer says how late the clock was at this very uplink."""
EXPIRES_S = 600


class ClockSync:
    """Queues answers for the window that the uplink with the request opens."""

    def __init__(self, radios: Radios, notices: Notices, clocks: Clocks) -> None:
        self._radios, self._notices, self._clocks = radios, notices, clocks

    def uplink(self, session: Session, payload: bytes, receptions: list[Reception]) -> None:
        """An uplink on FPort 202."""
        best, device = receptions[0], session.device
        airtime_s = airtime_us(best.modulation, len(best.phy_payload), True) / 1e6
        ended_gps_s = end_of_uplink_gps_s(receptions, self._radios.one_way_s(receptions))
        answer = clock_sync.answers(payload, ended_gps_s, airtime_s)
        if not answer:
            return
        now_us = self._clocks.utc_us()
        device.queue = device.queue if device.queue is not None else deque()
        item = DownlinkItem(
            str(uuid.uuid4()),
            device.id,
            clock_sync.FPORT,
            answer,
            False,
            now_us,
            now_us + EXPIRES_S * 1_000_000,
            position=queue.next_position(device.queue, device.awaiting_ack),
            priority=PRIORITY,
        )
        queue.insert(device.queue, item)
        self._notices.item(device, item)
