"""What the network tells of its devices: event records for outlets, live events and refusals for people."""

import secrets
from typing import Any

from lns import metrics
from lns.exchange.records import Event
from lns.exchange.sqlite import SqliteExchange
from lns.live import Live
from lns.mac.queue import DownlinkItem
from lns.mac.refusal import Unsent
from lns.mac.session import Device
from lns.network import show
from lns.network.clocks import Clocks
from lns.network.state import NetworkState


class Notices:
    """Appends events to the log and shows them to who is watching."""

    def __init__(self, exchange: SqliteExchange, state: NetworkState, live: Live, clocks: Clocks) -> None:
        self._exchange, self._state, self._live, self._clocks = exchange, state, live, clocks

    def event(self, kind: str, device: Device, at_us: int, gateway_eui: str | None = None, **data: Any) -> None:
        """Append an event record of a device."""
        self._exchange.put(
            "event",
            Event(
                secrets.token_bytes(16),
                kind,
                at_us,
                device.id,
                device.application_id,
                device.dev_eui,
                gateway_eui,
                data,
            ),
        )

    def touch(self) -> None:
        """Something that is kept has changed without an event."""
        self._exchange.touch()

    def shown(self, kind: str, device: Device, at_us: int, **data: Any) -> None:
        """Show an event to who is watching; it is not kept."""
        if self._live.watched:
            self._live.publish(show.event(kind, at_us, device, **data))

    def item(self, device: Device, item: DownlinkItem) -> None:
        """An item of the queue has changed: keep it, and tell outlets and watchers if that was its last change."""
        now_us = self._clocks.utc_us()
        self._state.downlink(item, now_us)
        if item.state == "queued":
            self._exchange.touch()
            return
        kind = {"acked": "ack", "nacked": "nack"}.get(item.state, "downlink")
        self.event(kind, device, now_us, **item_data(item))
        metrics.downlinks.inc("data", item.state)

    def downlink_failed(self, device: Device | None, reason: Unsent, text: str, gateway_eui: str | None) -> None:
        """A downlink did not go: count it and put it where people look for what went wrong."""
        now_us = self._clocks.utc_us()
        who = {"dev_eui": None} if device is None else {"dev_eui": device.dev_eui, "device": device.name}
        metrics.refusals.inc(reason)
        self._live.refuse(show.failure(now_us, str(reason), text, gateway_eui, **who))


def item_data(item: DownlinkItem) -> dict[str, Any]:
    """What outlets are told of an item."""
    return {
        "id": item.id,
        "fport": item.fport,
        "payload": item.payload.hex(),
        "priority": item.priority,
        "confirmed": item.confirmed,
        "state": item.state,
        "reason": item.reason,
        "fcnt_down": item.fcnt_down,
        "attempts": item.attempts,
    }
