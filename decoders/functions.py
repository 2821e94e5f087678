"""The functions of a script, and which of them run while it is loaded. Judged by the tokens."""

from itertools import accumulate
from typing import NamedTuple

from decoders.tokens import Code

_BLOCKS = {"if", "for", "while", "switch", "catch", "with"}


class Function(NamedTuple):
    """A function's name, if any; where the whole of it begins; where its body begins and ends."""

    name: str
    head: int
    begin: int
    end: int


class Functions:
    """All functions of a script, in their order."""

    def __init__(self, code: Code) -> None:
        self.all = _functions(code)
        self.depths = depths_of(code, self.all)
        """How many of them are around each token."""
        self.later_depths = depths_of(code, [f for f in self.all if _argument_list(code, f) is None])
        """The same without those that are called where they stand, and so once where they are not in another."""
        self.loading: list[Function] = []
        """Those that run while the script is loaded."""
        self.later: list[Function] = []
        """Those that run when an uplink is decoded, if at all."""
        self._sort(code)

    def _sort(self, code: Code) -> None:
        called = self._called_at_load(code)
        lists = self._lists(code)
        around: list[tuple[Function, bool]] = []
        open_lists: list[tuple[int, int]] = []
        for function in self.all:
            while around and around[-1][0].end < function.begin:
                around.pop()
            while lists and lists[-1][0] < function.head:
                open_lists.append(lists.pop())
            while open_lists and open_lists[-1][1] < function.head:
                open_lists.pop()
            handed = bool(open_lists) and self.depths[open_lists[-1][0]] == self.depths[function.head]
            loads = (not around or around[-1][1]) and (
                handed or function.name in called or _argument_list(code, function) is not None
            )
            around.append((function, loads))
            (self.loading if loads else self.later).append(function)

    def _called_at_load(self, code: Code) -> set[str]:
        """Names that are called outside of any function."""
        heads = {i for function in self.all for i in (function.head, function.head + 1)}
        return {
            code[i].text
            for i in range(len(code) - 1)
            if self.depths[i] == 0 and code[i].kind == "name" and code[i + 1].text == "(" and i not in heads
        }

    def _lists(self, code: Code) -> list[tuple[int, int]]:
        """Arguments of functions that are called where they stand, as a bundle's modules are; the last ones first."""
        found = [
            (i, code.closing[i]) for f in self.all if (i := _argument_list(code, f)) is not None and i in code.closing
        ]
        return sorted(found, reverse=True)


def _argument_list(code: Code, function: Function) -> int | None:
    """Where the arguments begin of a function that is called where it stands."""
    i = function.end + 1
    if code.at(i).text == ")":
        i += 1
    if code.at(i).text == "." and code.at(i + 1).text in ("call", "apply"):
        i += 2
    return i if code.at(i).text == "(" else None


def _functions(code: Code) -> list[Function]:
    found = []
    opening = {end: begin for begin, end in code.closing.items()}
    ends = _arrow_ends(code)
    for i, token in enumerate(code):
        if token.text == "=>" and code.at(i + 1).text != "{":
            found.append(Function("", i - 1, i, ends[i]))
        if token.text != "{" or token.kind != "mark" or i not in code.closing or i == 0:
            continue
        if code[i - 1].text == "=>":
            found.append(Function("", i - 1, i, code.closing[i]))
        elif code[i - 1].text == ")":
            head = opening.get(i - 1, 0)
            before = code.at(head - 1)
            if (before.kind == "mark" and before.text != "]") or before.text in _BLOCKS:
                continue
            named = before.text != "function" and head > 1 and code[head - 2].text == "function"
            begin = head - 2 if named else head - 1
            found.append(Function("" if before.text == "function" else before.text, begin, i, code.closing[i]))
    return found


def _arrow_ends(code: Code) -> dict[int, int]:
    """Where the expression ends that follows each arrow; further where a line ends without a semicolon."""
    ends: dict[int, int] = {}
    for arrow in [i for i, token in enumerate(code) if token.text == "=>"][::-1]:
        i = arrow + 1
        while i not in ends and code.at(i).text not in (",", ";", ")", "]", "}"):
            i = code.after_bracket(i) if code[i].text in ("(", "[", "{") else i + 1
        ends[arrow] = ends.get(i, i)
    return ends


def depths_of(code: Code, functions: list[Function]) -> list[int]:
    """How many of the functions are around each token."""
    edges = [0] * (len(code) + 1)
    for function in functions:
        if function.begin + 1 < function.end:
            edges[function.begin + 1] += 1
            edges[function.end] -= 1
    return list(accumulate(edges))
