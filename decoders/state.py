"""What a script leaves behind after an uplink: values in top-level variables, or new globals.

A realm serves every device of a codec version, and some published decoders leave values of one uplink where the next
uplink, of another device, finds them. This judges by the tokens and leans to yes: the price of a wrong yes is speed, of
a wrong no another device's data. Variables that a closure keeps alive are in closures.py; built-ins are locked after
the script has been loaded, see prelude/lock.js.
"""

from typing import NamedTuple

from decoders.closures import changes_exports, declared_in, keeps_closures, patches_built_ins
from decoders.functions import Function, Functions
from decoders.tokens import Code

_OPENING = {"(": ")", "[": "]", "{": "}"}
_ASSIGNING = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "**=", "<<=", ">>=", ">>>=", "&&=", "||=", "??="}
_STEPPING = {"++", "--"}
_DECLARING = {"var", "let", "const"}
_GLOBAL_OBJECT = {"this", "globalThis", "global", "window", "self"}
_MAKING_CODE = {"eval", "Function"}

# Methods that leave their object as it is.
_READING = frozenset({
    "at", "call", "charAt", "charCodeAt", "concat", "endsWith", "entries", "every", "filter", "find", "findIndex",
    "flat", "flatMap", "forEach", "get", "has", "hasOwnProperty", "includes", "indexOf", "join", "keys", "lastIndexOf",
    "map", "match", "padEnd", "padStart", "reduce", "reduceRight", "replace", "slice", "some", "split", "startsWith",
    "substr", "substring", "toFixed", "toLowerCase", "toString", "toUpperCase", "trim", "values",
})  # fmt: skip


# Methods of the language's own containers that change them. Where no code mentions `this`, no others can.
_MUTATING = frozenset({
    "add", "clear", "copyWithin", "delete", "fill", "next", "pop", "push", "reverse", "set", "shift", "sort", "splice",
    "unshift",
})  # fmt: skip

_PATTERN_TOKENS = 200

_NO_OBJECT, _LITERAL, _OBJECT = 0, 1, 2
"""What a variable holds as far as it is known: nothing that can be changed, an object or array literal, any object."""


class Habits(NamedTuple):
    """`keeps_state`: code below the top level may change what a top-level variable holds, so that every uplink needs a
    fresh evaluation of the script. `hides_globals`: it may create globals other than by assigning to them. `patches`:
    a decode changes built-ins, so that each needs a realm of its own.
    """

    keeps_state: bool
    hides_globals: bool = False
    patches: bool = False


def habits(source: str) -> Habits:
    """Judge a script."""
    code = Code(source)
    functions = Functions(code)
    variables = _top_level_variables(code, functions)
    if any(token.text == "this" for token in code):
        variables = {name: _OBJECT if holds == _LITERAL else holds for name, holds in variables.items()}
    inner = [i for i, token in enumerate(code) if functions.later_depths[i] > 0 and token.kind == "name"]
    aliases = _aliases(code, inner, variables)
    return Habits(
        any(
            (code[i].text in variables and _changes(code, i, variables[code[i].text]))
            or (code[i].text in aliases and _changes_member(code, i, aliases[code[i].text]))
            for i in inner
        )
        or not variables.keys().isdisjoint(_destructured(code))
        or keeps_closures(code, functions)
        or changes_exports(code, functions),
        any(_hides_globals(code, i) for i in inner),
        patches_built_ins(code, functions),
    )


def _depths(code: Code) -> list[int]:
    """How many brackets of any kind are open around each token."""
    depths, depth = [], 0
    for token in code:
        if token.kind == "mark" and token.text in ")]}":
            depth -= 1
        depths.append(depth)
        if token.kind == "mark" and token.text in _OPENING:
            depth += 1
    return depths


def _top_level_variables(code: Code, functions: Functions) -> dict[str, int]:
    """Names declared outside of any function; the value tells what the variable holds."""
    ends = {function.begin: function.end for function in functions.all}
    found = dict.fromkeys(declared_in(code, Function("", -1, -1, len(code)), ends), _OBJECT)
    depths = _depths(code)
    declaring = False
    for i, token in enumerate(code):
        if depths[i] > 0:
            continue
        before = code.at(i - 1)
        if token.kind == "name" and token.text in _DECLARING:
            declaring = True
        elif token.text == ";" or token.text in ("function", "class", "if", "for", "while"):
            declaring = False
        elif declaring and token.kind == "name" and (before.text in _DECLARING or before.text == ","):
            found[token.text] = _holds_object(code, i + 1)
        elif not declaring and token.kind == "name" and code.at(i + 1).text == "=":
            if before.text not in (".", "?.") or code.at(i - 2).text in _GLOBAL_OBJECT:
                found[token.text] = _holds_object(code, i + 1)
        elif declaring and token.text in ("[", "{") and before.text in _DECLARING:
            found.update((name.text, _OBJECT) for name in code[i : code.after_bracket(i)] if name.kind == "name")
        if token.kind == "name" and before.text in ("function", "class"):
            found.setdefault(token.text, _NO_OBJECT)
    return found


def _holds_object(code: Code, i: int) -> int:
    if code.at(i).text != "=":
        return _NO_OBJECT
    first = code.at(i + 1)
    if first.text in ("function", "class", "async") or code.at(i + 2).text == "=>":
        return _NO_OBJECT
    if first.text in ("[", "{"):
        return _LITERAL
    if first.text == "new":
        return _OBJECT
    if first.text == "(":
        return _NO_OBJECT if code.at(code.after_bracket(i + 1)).text == "=>" else _OBJECT
    if first.kind == "regex":  # lastIndex of one with a flag g or y is where the next search begins
        return _NO_OBJECT if set(first.text.rpartition("/")[2]).isdisjoint("gy") else _OBJECT
    plain = first.kind != "name" or first.text in ("true", "false", "null", "undefined", "NaN", "Infinity")
    return _NO_OBJECT if plain else _OBJECT


def _changes(code: Code, i: int, holds: int) -> bool:
    """Does the occurrence of a top-level name at `i` change the variable or give its object away?"""
    before, after = code.at(i - 1), code.at(i + 1)
    if before.text in _DECLARING or (before.text in (".", "?.") and code.at(i - 2).text not in _GLOBAL_OBJECT):
        return False  # a local variable of that name, or a property of something else
    if after.text in ("in", "of") and before.text == "(" and code.at(i - 2).text == "for":
        return True
    if after.text == ":" and before.text in ("{", ","):
        return False  # a key of an object literal
    if before.text in _STEPPING or before.text == "delete":
        return True
    if holds == _LITERAL and _only_names(code, i):
        return False
    end, _ = code.member_chain(i + 1)
    follower = code.at(end)
    if end != i + 1:
        return _changes_member(code, i, holds)
    if follower.text in _ASSIGNING or follower.text in _STEPPING:
        return True
    return holds != _NO_OBJECT and (follower.text != "(" or _changes_returned(code, end))


def _changes_returned(code: Code, i: int) -> bool:
    """Is what a call gives changed, as in `list().push(1)`? The call's brackets open at `i`."""
    after = code.after_bracket(i)
    end, method = code.member_chain(after)
    following = code.at(end).text
    if end == after:
        return False
    return following in _ASSIGNING or following in _STEPPING or (following == "(" and method in _MUTATING)


def _only_names(code: Code, i: int) -> bool:
    """Are only the names of an object's members looked at, as in `name in table` and `Object.keys(table)`?"""
    if code.at(i - 1).text == "in" and code.at(i + 1).text not in (".", "["):
        return True
    return [code.at(k).text for k in (i - 4, i - 3, i - 1, i + 1)] == ["Object", ".", "(", ")"] and code.at(
        i - 2
    ).text in ("keys", "getOwnPropertyNames")


def _changes_member(code: Code, i: int, holds: int) -> bool:
    end, method = code.member_chain(i + 1)
    follower = code.at(end)
    if end == i + 1 or (code.at(i - 1).text in (".", "?.") and code.at(i - 2).text not in _GLOBAL_OBJECT):
        return False
    if follower.text in _ASSIGNING or follower.text in _STEPPING:
        return True
    if not holds or follower.text != "(":
        return False
    return method in _MUTATING if holds == _LITERAL else method not in _READING


def _aliases(code: Code, inner: list[int], variables: dict[str, int]) -> dict[str, int]:
    """Names that are given a part of a top-level object, as in `var entry = table[key]`, and what that object is."""
    return {
        code[i - 2].text: variables[code[i].text]
        for i in inner
        if variables.get(code[i].text) and code[i - 1].text == "=" and code.at(i - 2).kind == "name"
    }


def _destructured(code: Code) -> set[str]:
    """Names in patterns that are assigned to, as in `[a, b] = pair` and `({a, b} = pair)`."""
    found: set[str] = set()
    for i, end in code.closing.items():
        if code[i].text == "(" or code.at(end + 1).text != "=":
            continue
        before = code.at(i - 1)
        if before.kind == "mark" and before.text not in (")", "]"):
            found.update(token.text for token in code[i : min(end, i + _PATTERN_TOKENS)] if token.kind == "name")
    return found


def _hides_globals(code: Code, i: int) -> bool:
    """Does the name at `i` make code, or define a property of the global object?"""
    name = code[i].text
    if name == "defineProperty":
        return code.at(i + 2).text in _GLOBAL_OBJECT
    return name in _MAKING_CODE or (name == "constructor" and code.at(i - 2).text == "constructor")
