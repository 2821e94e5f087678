"""JSON as people write it in files that a JavaScript engine reads: comments, trailing commas, hexadecimal numbers,
names without quotes, texts in single quotes. Pure."""

from typing import Any

import msgspec

from decoders.tokens import Token, tokens

_MARKS = frozenset("{}[],:-")
_WORDS = {"true": "true", "false": "false", "null": "null", "undefined": "null", "NaN": "null", "Infinity": "null"}


class LiteralError(ValueError):
    """The text is no JavaScript literal; the message has the line."""


def loads(text: str) -> Any:
    """The value of a literal. Raises LiteralError."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        pass
    cut = list(tokens(text.lstrip("\ufeff")))
    parts = [_json(text, token, cut[i + 1].text if i + 1 < len(cut) else "") for i, token in enumerate(cut)]
    try:
        return msgspec.json.decode("".join(parts))
    except msgspec.DecodeError as failure:
        raise LiteralError(f"the text is no JSON: {failure}") from failure


def _json(source: str, token: Token, following: str) -> str:
    if token.kind == "mark" and token.text in _MARKS:
        return "" if token.text == "," and following in ("]", "}", "") else token.text
    if token.kind == "number":
        return _number(source, token)
    if token.kind == "text":
        return _text(source, token)
    if token.kind == "name":
        return f'"{token.text}"' if following == ":" else _WORDS.get(token.text) or _refuse(source, token)
    return "" if token.text in (";", "+") else _refuse(source, token)


def _number(source: str, token: Token) -> str:
    text = token.text.replace("_", "")
    if text.isdecimal():
        return str(int(text))
    try:
        if text[:2].lower() in ("0x", "0b", "0o"):
            return str(int(text, 0))
        return str(int(text)) if text.isdecimal() else repr(float(text))
    except ValueError:
        return text if text.endswith(("e", "E")) else _refuse(source, token)  # 1e-3: the exponent is a token of its own


def _text(source: str, token: Token) -> str:
    quote, inner = token.text[0], token.text[1:-1]
    if token.text[-1:] != quote or len(token.text) < 2:
        return _refuse(source, token)
    return '"' + inner.replace("\\'", "'").replace('\\"', '"').replace('"', '\\"').replace("\n", "\\n") + '"'


def _refuse(source: str, token: Token) -> str:
    line = source.count("\n", 0, token.at) + 1
    raise LiteralError(f"line {line}: {token.text[:40]!r} is no part of a value")
