"""Uplinks of one device that need what came of the one before: they are decoded one after the other. Pure."""

from collections.abc import Sequence

import msgspec

from decoders.contract import Request, Result


def is_chained(request: Request) -> bool:
    """Does the script see what came of the device's uplink before?"""
    return request.state is not None or (request.context is not None and request.context.previous is not None)


def waves(requests: Sequence[Request]) -> list[list[int]]:
    """Places of the requests in waves: no device twice in a wave, its uplinks in their order."""
    found: list[list[int]] = []
    seen: dict[str, int] = {}
    for place, request in enumerate(requests):
        number = seen.get(request.dev_eui, 0)
        seen[request.dev_eui] = number + 1
        if number == len(found):
            found.append([])
        found[number].append(place)
    return found


class Last:
    """What came of each device's last uplink within a call."""

    def __init__(self) -> None:
        self._state: dict[str, str] = {}
        self._previous: dict[str, str] = {}

    def into(self, request: Request) -> Request:
        """The request with what is known by now."""
        eui = request.dev_eui
        if request.state is not None and eui in self._state:
            request = msgspec.structs.replace(request, state=self._state[eui])
        if request.context is not None and request.context.previous is not None and eui in self._previous:
            context = msgspec.structs.replace(request.context, previous=self._previous[eui])
            request = msgspec.structs.replace(request, context=context)
        return request

    def note(self, request: Request, result: Result) -> None:
        """`result` came of `request`."""
        if result.state is not None:
            self._state[request.dev_eui] = result.state
        if result.error is None and result.data_json:
            self._previous[request.dev_eui] = result.data_json.decode()
