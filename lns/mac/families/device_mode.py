"""DeviceModeInd (1.1): a device switches between class A and C; it may not before the network has confirmed it."""

from lns.lorawan.commands import encode_command
from lns.mac.families.family import IGNORED, Fields, Reply
from lns.mac.session import Session

_CLASS = {0: "A", 2: "C"}  # 1 is RFU


def device_mode(session: Session, fields: Fields) -> Reply:
    """DeviceModeInd, answered with the same class."""
    device_class = _CLASS.get(fields["class"])
    if device_class is None or session.minor == 0:
        return IGNORED
    radio = session.known_radio()
    answer = encode_command("DeviceModeConf", uplink=False, **fields)
    if radio.device_class == device_class:
        return Reply(answer)
    event = ("class_changed", {"from": radio.device_class, "to": device_class})
    radio.device_class = device_class
    return Reply(answer, event, True)
