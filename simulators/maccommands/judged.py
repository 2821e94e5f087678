"""What a device makes of one request: the bits of its answer, and the change if none of them is 0. Pure."""

from collections.abc import Callable
from typing import Any

import msgspec

Fields = dict[str, Any]
"""The fields of a request by their names in lns.lorawan.commands."""


def _nothing() -> None:
    pass


class Judged(msgspec.Struct, frozen=True):
    """`apply` is called when all of `bits` are set; where there are none, always."""

    answer: str
    bits: dict[str, bool] = {}
    apply: Callable[[], None] = _nothing

    @property
    def accepted(self) -> bool:
        return all(self.bits.values())

    def refused(self) -> "Judged":
        """The same answer with every bit 0."""
        return Judged(self.answer, dict.fromkeys(self.bits, False))
