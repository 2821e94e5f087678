"""What is built into a device, beside who it is: version, faults, factory channels. Pure."""

import msgspec

from simulators.misbehaviour import HONEST, Misbehaviour
from simulators.versions import DEFAULT, Version


class Firmware(msgspec.Struct, frozen=True, kw_only=True):
    """`sub_band` 1 to 8 narrows a fixed plan to what the factory switched on; 0 leaves all channels on."""

    version: Version = DEFAULT
    misbehaviour: Misbehaviour = HONEST
    sub_band: int = 0
    fopts_before_erratum: bool = False  # a 1.1 device that encrypts FOpts as the text before its erratum said


ORDINARY = Firmware()
