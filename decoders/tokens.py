"""JavaScript cut into tokens, near enough to look for words in code without finding them in texts and comments.

Not a parser: whether `/` divides or opens a regular expression is guessed from the token before it, and code inside
`${}` of a template counts as part of the template.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Token(NamedTuple):
    """One token. Kind is name, number, text, regex or mark; `at` is its offset in the source."""

    kind: str
    text: str
    at: int


_SPACE = re.compile(r"(?:\s+|//[^\n\u2028\u2029]*|/\*.*?(?:\*/|\Z)|<!--[^\n]*)+", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)
    |(?P<name>[A-Za-z_$\u0080-\uffff][\w$]*)
    |(?P<number>\.?\d[\w.]*)
    |(?P<mark>=>|>>>=|[=!]==|[=!<>]=|\*\*=|<<=|>>=|&&=|\|\|=|\?\?=|\+\+|--|[-+*/%&|^]=|\?\.(?!\d)|\.\.\.|.)""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*")
_BEFORE_REGEX = {"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "instanceof"}


def tokens(source: str) -> Iterator[Token]:
    """The tokens of `source` in order, without white space and comments."""
    at = 0
    last: Token | None = None
    while True:
        space = _SPACE.match(source, at)
        at = space.end() if space else at
        if at >= len(source):
            return
        last = _next(source, at, last)
        at += len(last.text)
        yield last


def position(source: str, at: int) -> tuple[int, int]:
    """Line and column, from 1, of the offset `at`."""
    return source.count("\n", 0, at) + 1, at - source.rfind("\n", 0, at)


def _next(source: str, at: int, last: Token | None) -> Token:
    char = source[at]
    if char == "`":
        return Token("text", source[at : _template_end(source, at + 1)], at)
    if char == "/" and _regex_may_follow(last) and (regex := _REGEX.match(source, at)):
        return Token("regex", regex.group(), at)
    match = _TOKEN.match(source, at)
    assert match is not None
    assert match.lastgroup is not None
    return Token(match.lastgroup, match.group(), at)


def _regex_may_follow(last: Token | None) -> bool:
    if last is None:
        return True
    if last.kind == "mark":
        return last.text not in (")", "]", "++", "--")
    return last.kind == "name" and last.text in _BEFORE_REGEX


def _template_end(source: str, at: int) -> int:
    depth = 0
    while at < len(source):
        char = source[at]
        if char == "\\":
            at += 1
        elif source.startswith("${", at):
            depth += 1
            at += 1
        elif char == "}" and depth:
            depth -= 1
        elif char == "`" and depth == 0:
            return at + 1
        elif char == "`":
            at = _template_end(source, at + 1) - 1
        at += 1
    return len(source)
