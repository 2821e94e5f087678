"""The messages of a record that one outlet wants, in its format. Pure but for the uplinks that are read back."""

from lns.delivery.outcome import Outgoing
from lns.exchange.records import Decoded, Stored
from lns.outlets.definition import Outlet
from lns.outlets.formats.outgoing import UNKNOWN, Describe
from lns.outlets.joining import Joining

TOPICS = frozenset({"uplink", "decoded", "event"})

_NO_FIELDS: frozenset[str] = frozenset()


class Selection:
    """Renders for one outlet. Events of gateways belong to no application and are not sent."""

    def __init__(self, outlet: Outlet, joining: Joining, describe: Describe) -> None:
        self._application_id, self._filter = outlet.application_id, outlet.filter
        self._wanted = frozenset(outlet.filter.events)
        self._joining, self._describe = joining, describe

    def forget(self) -> None:
        """Look the names of devices and applications up again."""
        self._joining.forget()

    async def __call__(self, stored: Stored) -> list[Outgoing]:
        """ValueError: the record cannot be put into the outlet's format."""
        record = stored.record
        if record.application_id != self._application_id:
            return []
        possible = self._joining.events(stored)
        if not possible or (self._wanted and self._wanted.isdisjoint(possible)):
            return []
        known = self._describe(record.device_id) if record.device_id is not None else None
        tags = (known or UNKNOWN).tags
        fields = frozenset([m.field for m in record.measurements]) if isinstance(record, Decoded) else _NO_FIELDS
        wants = self._filter.wants
        if not any(wants(event, tags, fields) for event in possible):
            return []
        return [one for one in await self._joining.messages(stored) if wants(one.event, tags, fields)]
