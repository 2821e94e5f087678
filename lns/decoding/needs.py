"""What a script asks for beyond the portable input, seen from its text: who asks for nothing pays nothing."""

import re
from functools import lru_cache

import msgspec

from decoders.conventions import CONTEXT_KEYS, wants

_TOLD_ALL = {"helium", "datacake", "qubitro"}  # what their functions are given is made from the context
_STATE = "stateVersion"
_PREVIOUS = "previous"
_EVERYTHING = ("normalizedPayload", "rawPayload", "LoRaObject")
_MENTIONED = re.compile(rf"\b(?:{'|'.join({*CONTEXT_KEYS, *_EVERYTHING} - {'state'})})\b")
_SCRIPTS = 4096


class Needs(msgspec.Struct, frozen=True):
    """`context`: name, tags, gateways, data rate and the like; `previous`: the values decoded last; `state`: its own.

    A text may say more than the script does: that costs a little and changes nothing.
    """

    context: bool = False
    previous: bool = False
    state: bool = False

    @property
    def memory(self) -> bool:
        """Whether a device's uplinks have to be decoded in their order, each with what came of the one before."""
        return self.previous or self.state


PORTABLE = Needs()


@lru_cache(_SCRIPTS)
def needs(source: str, convention: str | None) -> Needs:
    """What a script asks for. Takes 0.2 s for 370 kB that mention a key of the context, 1 ms for others."""
    mentioned = set(_MENTIONED.findall(source))
    wanted = set(wants(source)) if mentioned else set()
    previous = _PREVIOUS in mentioned and _PREVIOUS in wanted
    others = convention in _TOLD_ALL or bool(wanted - {"state", _PREVIOUS})
    return Needs(others or previous, previous, _STATE in source)
