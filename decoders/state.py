"""What a script leaves behind after an uplink: values in top-level variables, or new globals.

A realm serves every device of a codec version, and some published decoders leave values of one uplink where the next
uplink, of another device, finds them. This judges by the tokens and leans to yes: the price of a wrong yes is speed, of
a wrong no another device's data. Variables inside a function that a closure keeps alive
(`var driver = (function () { var last; ... })()`) are not seen.
"""

from typing import NamedTuple

from decoders.tokens import Token, tokens

_OPENING = {"(": ")", "[": "]", "{": "}"}
_ASSIGNING = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "**=", "<<=", ">>=", ">>>=", "&&=", "||=", "??="}
_STEPPING = {"++", "--"}
_DECLARING = {"var", "let", "const"}
_GLOBAL_OBJECT = {"globalThis", "global", "window", "self", "eval", "Function"}
_END = Token("mark", ";", -1)

# Methods that leave their object as it is.
_READING = frozenset({
    "at", "call", "charAt", "charCodeAt", "concat", "endsWith", "entries", "every", "filter", "find", "findIndex",
    "flat", "flatMap", "forEach", "get", "has", "hasOwnProperty", "includes", "indexOf", "join", "keys", "lastIndexOf",
    "map", "match", "padEnd", "padStart", "reduce", "reduceRight", "replace", "slice", "some", "split", "startsWith",
    "substr", "substring", "toFixed", "toLowerCase", "toString", "toUpperCase", "trim", "values",
})  # fmt: skip


class Habits(NamedTuple):
    """`keeps_state`: code below the top level may change what a top-level variable holds, so that every uplink needs a
    fresh evaluation of the script. `leaves_globals`: it may create globals, so that they have to be looked for.
    """

    keeps_state: bool
    leaves_globals: bool


def habits(source: str) -> Habits:
    """Judge a script."""
    code = list(tokens(source))
    depths = _depths(code)
    variables = _top_level_variables(code, depths)
    inner = [i for i, token in enumerate(code) if depths[i] > 0 and token.kind == "name"]
    aliases = _aliases(code, inner, variables)
    return Habits(
        any(
            (code[i].text in variables and _changes(code, i, variables[code[i].text]))
            or (code[i].text in aliases and _changes_member(code, i))
            for i in inner
        ),
        _leaves_globals(code, inner, variables.keys() | _local_names(code)),
    )


def _depths(code: list[Token]) -> list[int]:
    """How many brackets of any kind are open around each token."""
    depths, depth = [], 0
    for token in code:
        if token.kind == "mark" and token.text in ")]}":
            depth -= 1
        depths.append(depth)
        if token.kind == "mark" and token.text in _OPENING:
            depth += 1
    return depths


def _top_level_variables(code: list[Token], depths: list[int]) -> dict[str, bool]:
    """Names declared at the top level; the value tells whether the variable holds an object that can be changed."""
    found: dict[str, bool] = {}
    declaring = False
    for i, token in enumerate(code):
        if depths[i] > 0:
            continue
        before = code[i - 1] if i else _END
        if token.kind == "name" and token.text in _DECLARING:
            declaring = True
        elif token.text == ";" or token.text in ("function", "class", "if", "for", "while"):
            declaring = False
        elif declaring and token.kind == "name" and (before.text in _DECLARING or before.text == ","):
            found[token.text] = _holds_object(code, i + 1)
        elif declaring and token.text in ("[", "{") and before.text in _DECLARING:
            found.update((name.text, True) for name in code[i : _after_bracket(code, i)] if name.kind == "name")
        if token.kind == "name" and before.text in ("function", "class"):
            found.setdefault(token.text, False)
    return found


def _holds_object(code: list[Token], i: int) -> bool:
    if _at(code, i).text != "=":
        return False
    first = _at(code, i + 1)
    if first.text in ("function", "class", "async") or _at(code, i + 2).text == "=>":
        return False
    if first.text in ("[", "{", "new"):
        return True
    if first.text == "(":
        return _at(code, _after_bracket(code, i + 1)).text != "=>"
    return first.kind == "name" and first.text not in ("true", "false", "null", "undefined", "NaN", "Infinity")


def _changes(code: list[Token], i: int, holds_object: bool) -> bool:
    """Does the occurrence of a top-level name at `i` change the variable or give its object away?"""
    before, after = _at(code, i - 1), _at(code, i + 1)
    if before.text in (".", "?.") or before.text in _DECLARING:
        return False  # a property of something else, or a local variable of that name
    if after.text == ":" and before.text in ("{", ","):
        return False  # a key of an object literal
    if before.text in _STEPPING or before.text == "delete":
        return True
    end, _ = _member_chain(code, i + 1)
    follower = _at(code, end)
    if end == i + 1:
        return follower.text in _ASSIGNING or follower.text in _STEPPING or (holds_object and follower.text != "(")
    return _changes_member(code, i, holds_object)


def _changes_member(code: list[Token], i: int, holds_object: bool = True) -> bool:
    end, method = _member_chain(code, i + 1)
    follower = _at(code, end)
    if end == i + 1 or _at(code, i - 1).text in (".", "?."):
        return False
    if follower.text in _ASSIGNING or follower.text in _STEPPING:
        return True
    return holds_object and follower.text == "(" and method not in _READING


def _aliases(code: list[Token], inner: list[int], variables: dict[str, bool]) -> set[str]:
    """Names that are given a part of a top-level object, as in `var entry = table[key]`."""
    return {
        code[i - 2].text
        for i in inner
        if variables.get(code[i].text) and code[i - 1].text == "=" and _at(code, i - 2).kind == "name"
    }


def _member_chain(code: list[Token], i: int) -> tuple[int, str | None]:
    """Index after the `.name` and `[...]` that follow a name, and the last name of the chain."""
    method = None
    while True:
        if _at(code, i).text in (".", "?.") and _at(code, i + 1).kind == "name":
            method = code[i + 1].text
            i += 2
        elif _at(code, i).text == "[":
            method = None
            i = _after_bracket(code, i)
        else:
            return i, method


def _after_bracket(code: list[Token], i: int) -> int:
    """Index after the bracket that closes the one at `i`."""
    depth = 0
    for k in range(i, len(code)):
        if code[k].kind == "mark" and code[k].text in _OPENING:
            depth += 1
        elif code[k].kind == "mark" and code[k].text in ")]}":
            depth -= 1
            if depth == 0:
                return k + 1
    return len(code)


def _local_names(code: list[Token]) -> set[str]:
    """Names that some function declares: its variables and, of functions written with `function`, its parameters."""
    names: set[str] = set()
    for i, token in enumerate(code):
        if token.kind == "name" and token.text in _DECLARING:
            names.update(_declared_after(code, i))
        elif token.kind == "name" and token.text == "function":
            opening = i + 1 if _at(code, i + 1).text == "(" else i + 2
            if _at(code, opening).text == "(":
                names.update(name.text for name in code[opening : _after_bracket(code, opening)] if name.kind == "name")
    return names


def _declared_after(code: list[Token], i: int) -> list[str]:
    """The names of the declaration at `i`, up to its end or a token that may begin something else."""
    names = []
    i += 1
    while True:
        if _at(code, i).kind == "name":
            names.append(code[i].text)
        while (text := _at(code, i).text) not in (",", ";", ")", "}", "]") and text not in _DECLARING:
            i = _after_bracket(code, i) if text in _OPENING else i + 1
        if text != ",":
            return names
        i += 1


def _leaves_globals(code: list[Token], inner: list[int], declared: set[str]) -> bool:
    for i in inner:
        name, before = code[i].text, _at(code, i - 1)
        if before.text in (".", "?.") or name in declared or name in ("module", "exports"):
            continue
        if name in _GLOBAL_OBJECT:
            return True
        follower = _at(code, _member_chain(code, i + 1)[0])
        if follower.text in _ASSIGNING or follower.text in _STEPPING or before.text in _STEPPING:
            return True
        if follower.text in ("in", "of") and before.text == "(":
            return True
    return False


def _at(code: list[Token], i: int) -> Token:
    return code[i] if 0 <= i < len(code) else _END
