"""How our own messages are encoded, by name."""

from typing import Literal

from lns.outlets.formats.inflight import Encoding
from lns.outlets.formats.inflight_json import Json

EncodingName = Literal["json", "protobuf"]


def make_encoding(name: EncodingName) -> Encoding:
    """ConfigError where Protobuf's extra is missing."""
    if name == "json":
        return Json()
    from lns.outlets.formats.inflight_protobuf import Protobuf  # an extra: loaded only where it is used

    return Protobuf()
