"""Modules made classic: `import` of Buffer and any `export` become plain statements, so that a file written as a module
runs as the classic script that a decoder is. Lines stay where they are. Pure.

Other imports are left, for conventions.lint to refuse them.
"""

import re

from decoders.tokens import Token, tokens

_KEYWORDS = re.compile(r"\b(?:import|export)\b")
_BUFFER = {"buffer", "node:buffer"}
_OPENING, _CLOSING = {"(", "[", "{"}, {")", "]", "}"}
_DECLARING = {"function", "var", "let", "const", "class"}


def classic(source: str) -> str:
    """The script with its imports of Buffer and its exports rewritten."""
    if not _KEYWORDS.search(source):
        return source
    code = list(tokens(source))
    edits: list[tuple[int, int, str]] = []  # from, to, text
    depth = 0
    for i, token in enumerate(code):
        if token.kind == "mark" and token.text in _OPENING:
            depth += 1
        elif token.kind == "mark" and token.text in _CLOSING:
            depth -= 1
        elif depth == 0 and token.kind == "name" and _begins(code, i):
            if token.text == "import":
                edits += _import(code, i)
            elif token.text == "export":
                edits += _export(code, i)
    return _edited(source, edits)


def _begins(code: list[Token], i: int) -> bool:
    """Is the name at `i` at the beginning of a statement rather than a member or a key?"""
    return i == 0 or code[i - 1].text not in (".", "?.", "function")


def _import(code: list[Token], i: int) -> list[tuple[int, int, str]]:
    end = i + 1
    while end < len(code) and code[end].kind != "text" and code[end].text not in (";", "("):
        end += 1
    if end >= len(code) or code[end].kind != "text" or code[end].text.strip("'\"") not in _BUFFER:
        return []
    names = code[i + 1 : end - 1]  # without `from`
    required = f'require("{code[end].text[1:-1]}")'
    whole = (code[i].at, code[end].at + len(code[end].text))
    if not names:
        return [(*whole, "")]
    if names[0].text == "{":
        parts = " ".join(":" if token.text == "as" else token.text for token in names)
        return [(*whole, f"var {parts} = {required}")]
    return [(*whole, f"var {names[-1].text} = {required}")]


def _export(code: list[Token], i: int) -> list[tuple[int, int, str]]:
    following = code[i + 1] if i + 1 < len(code) else Token("mark", "", code[i].at)
    keyword = (code[i].at, code[i].at + len("export"))
    if following.text in _DECLARING or following.text == "async":
        return [(*keyword, "      ")]
    if following.text == "default":
        end = following.at + len("default")
        after = code[i + 2 : i + 4]
        named = len(after) == 2 and after[0].text in ("function", "class") and after[1].kind == "name"
        return [(keyword[0], end, "" if named else "module.exports.default =")]
    if following.text != "{":
        return []
    end = i + 2
    while end < len(code) and code[end].text != "}":
        end += 1
    if end >= len(code):
        return []
    inner, renamed = code[i + 2 : end], ""
    for k, token in enumerate(inner):
        if token.text == "as" and 0 < k < len(inner) - 1:
            renamed += f"module.exports.{inner[k + 1].text} = {inner[k - 1].text}; "
    return [(keyword[0], code[end].at + 1, renamed)]


def _edited(source: str, edits: list[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for begin, end, text in edits:
        parts += [source[at:begin], text, "\n" * source.count("\n", begin, end)]
        at = end
    return "".join(parts) + source[at:]
