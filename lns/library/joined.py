"""A decoder and an encoder in files of their own as one script."""

import re

_ENCODERS = ("encodeDownlink", "Encode", "Encoder")
_DECODERS = ("decodeDownlink",)
_FUNCTIONS = re.compile(
    r"^[ \t]*(?:async[ \t]+)?function[ \t]+(encodeDownlink|decodeDownlink|Encode|Encoder)[ \t]*\(", re.MULTILINE
)


def joined(decoder: str, encoder: str | None) -> str:
    """The decoder, its lines where they were, and after it the encoder in a scope of its own.

    Both files often have helpers of the same names: in one scope the later would replace the earlier.
    """
    if encoder is None or encoder == decoder:
        return decoder
    known = set(_FUNCTIONS.findall(encoder))
    names = [name for name in _ENCODERS if name in known][:1] + [name for name in _DECODERS if name in known]
    scopes = [f"var {name} = (function () {{\n{encoder}\nreturn {name};\n}})();" for name in names]
    return "\n".join((decoder, *scopes)) + "\n" if names else decoder
