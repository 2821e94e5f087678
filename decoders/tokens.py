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


_PAIRS = {"(": ")", "[": "]", "{": "}"}
_END = Token("mark", ";", -1)


class Code(list[Token]):
    """The tokens of a script, and where its brackets close."""

    def __init__(self, source: str) -> None:
        super().__init__(tokens(source))
        self.closing: dict[int, int] = {}
        """Place of the bracket that closes the one at each place."""
        open_at = []
        for i, token in enumerate(self):
            if token.kind == "mark" and token.text in _PAIRS:
                open_at.append(i)
            elif token.kind == "mark" and token.text in ")]}" and open_at:
                self.closing[open_at.pop()] = i

    def at(self, i: int) -> Token:
        """The token at a place, a semicolon outside of the text."""
        return self[i] if 0 <= i < len(self) else _END

    def after_bracket(self, i: int) -> int:
        """Place after the bracket that closes the one at `i`; the end where none does."""
        return self.closing[i] + 1 if i in self.closing else len(self)

    def member_chain(self, i: int) -> tuple[int, str | None]:
        """Place after the `.name` and `[...]` that follow a name, from `i` on, and the last name of the chain."""
        method = None
        while True:
            if self.at(i).text in (".", "?.") and self.at(i + 1).kind == "name":
                method = self[i + 1].text
                i += 2
            elif self.at(i).text == "[":
                method = None
                i = self.after_bracket(i)
            else:
                return i, method


_TOKEN = re.compile(
    r"""(?:\s++|//[^\n\u2028\u2029]*+|/\*.*?(?:\*/|\Z)|<!--[^\n]*+)*+
    (?:(?P<text>"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)
    |(?P<name>[A-Za-z_$\u0080-\uffff][\w$]*)
    |(?P<number>\.?\d[\w.]*)
    |(?P<mark>=>|>>>=|[=!]==|[=!<>]=|\*\*=|<<=|>>=|&&=|\|\|=|\?\?=|\+\+|--|[-+*/%&|^]=|\?\.(?!\d)|\.\.\.|.))""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*")
_REGEX_LENGTH = 1000  # a longer one is taken for marks and names, for the search must not cost the square of the source
_BEFORE_REGEX = {"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "instanceof"}


def tokens(source: str) -> Iterator[Token]:
    """The tokens of `source` in order, without white space and comments."""
    at = 0
    last: Token | None = None
    while match := _TOKEN.match(source, at):
        kind = match.lastgroup
        assert kind is not None
        text, at = match[kind], match.start(kind)
        if text == "`":
            kind, text = "text", source[at : _template_end(source, at + 1)]
        elif text[0] == "/" and _regex_may_follow(last) and (regex := _REGEX.match(source, at, at + _REGEX_LENGTH)):
            kind, text = "regex", regex.group()
        last = Token(kind, text, at)
        at += len(text)
        yield last


def position(source: str, at: int) -> tuple[int, int]:
    """Line and column, from 1, of the offset `at`."""
    return source.count("\n", 0, at) + 1, at - source.rfind("\n", 0, at)


def _regex_may_follow(last: Token | None) -> bool:
    if last is None:
        return True
    if last.kind == "mark":
        return last.text not in (")", "]", "++", "--")
    return last.kind == "name" and last.text in _BEFORE_REGEX


def _template_end(source: str, at: int) -> int:
    depths = [0]  # of ${} in each template that is open
    while at < len(source):
        char = source[at]
        if char == "\\":
            at += 1
        elif source.startswith("${", at):
            depths[-1] += 1
            at += 1
        elif char == "}" and depths[-1]:
            depths[-1] -= 1
        elif char == "`" and depths[-1]:
            depths.append(0)
        elif char == "`":
            depths.pop()
            if not depths:
                return at + 1
        at += 1
    return len(source)
