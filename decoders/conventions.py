"""The forms a decoder script may take, and what to tell the author of a file that has none of them.

Which function is called how is in prelude/entry.js; here is what is known without running the script.
"""

import re

from decoders.contract import MAX_SOURCE_BYTES, Error
from decoders.modules import classic
from decoders.tokens import Token, position, tokens

CONVENTIONS = {
    "ts013": "decodeUplink",
    "thingpark": "decodeUplink",
    "chirpstack3": "Decode",
    "ttn2": "Decoder",
    "helium": "Decoder",
    "datacake": "Decoder",
    "qubitro": "decoder",
}
"""The function that decodes an uplink, by convention; what each is given is in prelude/entry.js."""

CONTEXT_KEYS = (
    "deviceName", "tags", "dr", "dataRate", "frequency", "gateways", "previous", "joinEUI", "applicationName", "state",
)  # fmt: skip
"""Keys of the input that cost something to provide. A script that mentions none of them needs no Context."""

_NO_FUNCTION = (
    "the script has no decoder function: decodeUplink(input), Decode(fPort, bytes, variables) or Decoder(bytes, port)"
)

_TOLD_ALL = {"helium", "datacake", "qubitro"}  # their functions are given all there is

# Globals of other platforms, that stand for several keys of the context.
_EVERYTHING = {"normalizedPayload", "rawPayload", "LoRaObject"}
_DATACAKE = {"normalizedPayload", "rawPayload", "configurationValues"}

# What scripts for other products have; none of these are decoders of uplinks.
_OTHERS = (
    ({"consume", "emit"}, "it looks like a script for Akenza: put what consume() does into decodeUplink(input)"),
    ({"decodeToJson"}, "it looks like a script for ThingsBoard: put what it does into decodeUplink(input)"),
    ({"msgFactory", "msg"}, "it looks like a flow function: put what it does into decodeUplink(input)"),
)

FILE_NAME = "decoder.js"
"""The name under which V8 knows the author's script, so that its frames can be told from the prelude's."""

_ASYNC = "async code is not available: a decoder answers at once, so remove async and await"
_MODULE = "import of anything but buffer is not available: a decoder is one file, so paste the code in or bundle it"
_FIXES = {
    "Illegal return statement": "return outside a function: put the code into function decodeUplink(input) { ... }",
    "Cannot use import statement outside a module": _MODULE,
    "Unexpected token 'export'": _MODULE,
    "await is only valid in async functions and the top level bodies of modules": _ASYNC,
}

_FRAME = re.compile(re.escape(FILE_NAME) + r":(\d+):(\d+)")
_KEYWORDS = re.compile(r"\b(?:async|import|export)\b")
_NOT_AFTER_ASYNC = {"in", "of", "instanceof"}


def lint(source: str) -> Error | None:
    """What makes this text unfit before V8 has seen it: its size, async code, modules. Takes 0.2 s for 370 kB."""
    problem = unreadable(source)
    if problem is not None:
        return problem
    if not _KEYWORDS.search(source):
        return None
    source = classic(source)
    code = list(tokens(source))
    for i, token in enumerate(code):
        if token.kind != "name" or token.text not in ("async", "import", "export"):
            continue
        fix = _unavailable(source, code, i)
        if fix is not None:
            return Error("syntax", fix, *position(source, token.at))
    return None


def no_entry(source: str, convention: str | None) -> Error:
    """What to tell of a script without an entry point, or without that of the convention its author has set."""
    if convention is not None:
        return Error("syntax", f"the script has no function {CONVENTIONS[convention]}, as {convention} asks for")
    names = {token.text for token in tokens(source) if token.kind == "name"}
    hints = [f": {text}" for words, text in _OTHERS if words <= names]
    return Error("syntax", _NO_FUNCTION + "".join(hints[:1]))


def wants(source: str, convention: str | None = None) -> tuple[str, ...]:
    """Which keys of the context a script mentions, as names or in texts, or is given by its convention."""
    if convention in _TOLD_ALL or any(name in source for name in _EVERYTHING):
        return CONTEXT_KEYS
    if not any(key in source for key in CONTEXT_KEYS):
        return ()
    found = {token.text.strip("'\"") for token in tokens(source) if token.kind in ("name", "text")}
    return tuple(key for key in CONTEXT_KEYS if key in found)


def is_datacake(source: str) -> bool:
    """Does a script name globals that only Datacake has?"""
    return any(name in source for name in _DATACAKE)


def unreadable(source: str) -> Error | None:
    """The problem with a text that cannot even be handed to a worker."""
    try:
        size = len(source.encode())
    except UnicodeEncodeError as failure:
        return Error("syntax", "the script is not valid Unicode text", *position(source, failure.start))
    if size <= MAX_SOURCE_BYTES:
        return None
    return Error("too_large", f"the script is {size} bytes, at most {MAX_SOURCE_BYTES} are accepted")


def explain(message: str) -> str:
    """V8's text of a syntax error, replaced by what to do where that is known."""
    return _FIXES.get(message.removeprefix("SyntaxError: "), message)


def locate(stack: str) -> tuple[int | None, int | None]:
    """Line and column of the innermost frame of a stack that lies in the author's file."""
    frame = _FRAME.search(stack)
    return (int(frame[1]), int(frame[2])) if frame else (None, None)


def _unavailable(source: str, code: list[Token], i: int) -> str | None:
    """The fix, where the name at `i` is used as a keyword rather than as a name."""
    token = code[i]
    before = code[i - 1].text if i else ""
    following = code[i + 1] if i + 1 < len(code) else Token("mark", "", len(source))
    if before in (".", "?.", "function") or following.text in (":", ",", "=", ")", "}", ";", "."):
        return None
    if token.text == "async":
        return _ASYNC if _starts_async_function(source, code, i) else None
    return _MODULE if token.text == "export" or following.text != "[" else None


def _starts_async_function(source: str, code: list[Token], i: int) -> bool:
    if i + 1 >= len(code) or "\n" in source[code[i].at : code[i + 1].at]:
        return False
    following = code[i + 1]
    if following.kind == "name":
        return following.text not in _NOT_AFTER_ASYNC
    if following.text != "(":
        return following.text == "*"
    depth = 0
    for k in range(i + 1, len(code)):
        depth += {"(": 1, ")": -1}.get(code[k].text, 0)
        if depth == 0:
            return k + 1 < len(code) and code[k + 1].text in ("=>", "{")
    return False
