"""Our own messages for outlets: those of `inflight.py`, each under the event that filters and topics know."""

from lns.delivery.outcome import Outgoing
from lns.exchange.records import Decoded, Event, Stored, Uplink
from lns.outlets.formats.inflight import DeviceInfo, Encoding, Formatter
from lns.outlets.formats.outgoing import Describe, Described, message_id

EVENT_TOPIC = "inflight/{application}/{dev_eui}/{event}"
COMMAND_TOPIC = "inflight/{application}/{dev_eui}/command/{command}"
ROUTING_KEY = "inflight.{application}.{dev_eui}.{event}"
KAFKA_TOPICS = {"uplink": "inflight.uplinks", "measurements": "inflight.measurements", "*": "inflight.events"}
NAMES = ("application", "device", "dev_eui")

_UPLINK = frozenset({"uplink"})
_DECODED = frozenset({"measurements", "decode_failure"})


class Own:
    """Turns records into messages: `event` is uplink, measurements, decode_failure, or what an event's kind is."""

    joins = False

    def __init__(self, describe: Describe, encoding: Encoding) -> None:
        self._describe = describe
        self._formatter = Formatter(self._info, encoding)

    def forget(self) -> None:
        """Look the names of devices and applications up again."""
        self._formatter.forget()

    def events(self, stored: Stored) -> frozenset[str]:
        """What the messages of a record may be."""
        if isinstance(stored.record, Event):
            return frozenset((stored.record.kind,))
        return _DECODED if isinstance(stored.record, Decoded) else _UPLINK

    def messages(self, stored: Stored, uplink: Uplink | None = None) -> list[Outgoing]:
        """The messages of a record. ValueError: it cannot be encoded."""
        found = []
        for message in self._formatter.messages(stored):
            event = message.kind if message.kind != "event" else _kind(stored)
            # a decode that is tried again may fail again
            part = str(stored.seq) if event == "decode_failure" else ""
            id_ = message_id(stored, event, part)
            found.append(Outgoing(id_, stored.seq, message.key, event, message.value, message.at_us))
        return found

    def _info(self, device_id: int) -> DeviceInfo | None:
        known = self._describe(device_id)
        return DeviceInfo(known.name, known.application, known.tags) if known is not None else None


def names(known: Described, dev_eui: str) -> dict[str, str]:
    """What topics are made of."""
    return {"application": known.application, "device": known.name, "dev_eui": dev_eui}


def _kind(stored: Stored) -> str:
    return stored.record.kind if isinstance(stored.record, Event) else "decode_failure"
