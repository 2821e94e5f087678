"""Does a script keep something from one uplink to the next? Then each uplink gets a fresh evaluation of it.

A realm serves every device of a codec version, and some published decoders leave values of one uplink in a top-level
variable, where the next uplink, of another device, finds them. This judges by the tokens, and in doubt says yes: the
price of a wrong yes is speed, of a wrong no is another device's data. Variables inside a function that a closure keeps
alive (`var driver = (function () { var last; ... })()`) are not seen.
"""

from decoders.tokens import Token, tokens

_OPENING = {"(": ")", "[": "]", "{": "}"}
_ASSIGNING = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "**=", "<<=", ">>=", ">>>=", "&&=", "||=", "??="}
_STEPPING = {"++", "--"}
_DECLARING = {"var", "let", "const"}
_END = Token("mark", ";", -1)

# Methods that leave their object as it is.
_READING = frozenset(
    "at call charAt charCodeAt concat endsWith entries every filter find findIndex flat flatMap forEach get has"
    " hasOwnProperty includes indexOf join keys lastIndexOf map match padEnd padStart reduce reduceRight replace slice"
    " some split startsWith substr substring toFixed toLowerCase toString toUpperCase trim values".split()
)


def keeps_state(source: str) -> bool:
    """True where code below the top level may change what a top-level variable holds."""
    code = list(tokens(source))
    depths = _depths(code)
    variables = _top_level_variables(code, depths)
    if not variables:
        return False
    return any(
        depths[i] > 0 and token.kind == "name" and token.text in variables and _changes(code, i, variables[token.text])
        for i, token in enumerate(code)
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
    end, method = _member_chain(code, i + 1)
    follower = _at(code, end)
    if follower.text in _ASSIGNING or follower.text in _STEPPING:
        return True
    if end == i + 1:
        return holds_object and follower.text != "("
    return holds_object and follower.text == "(" and method not in _READING


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


def _at(code: list[Token], i: int) -> Token:
    return code[i] if 0 <= i < len(code) else _END
