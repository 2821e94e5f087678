"""Variables that outlive a decode because a closure keeps them.

They are declared in a function that runs while the script is loaded and changed in a function within it, as in
`var driver = (function () { var last; return function () { last = 1; }; })()`.

Judged by the tokens. Bundles are left out: their loader keeps such variables by design, and to evaluate 100 kB anew for
each uplink would cost more than it saves.
"""

from bisect import bisect

from decoders.functions import Function, Functions, depths_of
from decoders.tokens import Code

_BUNDLE_TOKENS = 20_000
_HEAD_TOKENS = 50
_ASSIGNING = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "**=", "<<=", ">>=", ">>>=", "&&=", "||=", "??="}
_STEPPING = {"++", "--"}
_DECLARING = {"var", "let", "const"}
_MUTATING = {"push", "pop", "shift", "unshift", "splice", "set", "add", "delete", "clear", "fill", "sort", "reverse"}
_EXPORTS = {"module", "exports"}
_BUILT_INS = {
    "Array", "Boolean", "Buffer", "DataView", "Date", "Error", "Function", "JSON", "Map", "Math", "Number", "Object",
    "Promise", "Reflect", "RegExp", "Set", "String", "Symbol", "TypeError", "Uint8Array", "console",
}  # fmt: skip


def keeps_closures(code: Code, functions: Functions) -> bool:
    """Does a function change a variable of a function around it that runs while the script is loaded?"""
    if len(code) > _BUNDLE_TOKENS:
        return False
    depths, outers = functions.later_depths, functions.loading
    ends = {function.begin: function.end for function in functions.all}
    declared = [declared_in(code, outer, ends) for outer in outers]
    changes: dict[str, list[int]] = {name: [] for names in declared for name in names}
    for i, token in enumerate(code):
        if token.text in changes and token.kind == "name" and _changes(code, i):
            changes[token.text].append(i)
    for outer, names in zip(outers, declared, strict=True):
        for name in names:
            places = changes[name]
            first = bisect(places, outer.begin)
            if any(depths[i] > depths[outer.begin + 1] for i in places[first : bisect(places, outer.end)]):
                return True
    return False


def patches_built_ins(code: Code, functions: Functions) -> bool:
    """Does a decode assign to members of built-ins, as a polyfill within the decoder's function does?"""
    places = [i for i, token in enumerate(code) if token.text in _BUILT_INS and _is_patch(code, i)]
    depths = depths_of(code, functions.later)
    return any(depths[i] > 0 for i in places)


def changes_exports(code: Code, functions: Functions) -> bool:
    """Does a decode change what `module` or `exports` holds? Not where these are parameters, as in a bundle."""
    places = [i for i in range(len(code)) if code[i].text in _EXPORTS and _changes(code, i)]
    depths = depths_of(
        code, [f for f in functions.later if not any(t.text in _EXPORTS for t in code[f.head : f.begin])]
    )
    return any(depths[i] > 0 for i in places)


def _is_patch(code: Code, i: int) -> bool:
    if code[i].kind != "name" or code.at(i - 1).text in (".", "?.", *_DECLARING):
        return False
    before = [token.text for token in code[max(i - 4, 0) : i]]
    if before in (["Object", ".", "defineProperty", "("], ["Reflect", ".", "defineProperty", "("]):
        return True
    end, _ = code.member_chain(i + 1)
    return end > i + 1 and code.at(end).text in _ASSIGNING


def declared_in(code: Code, outer: Function, ends: dict[int, int]) -> set[str]:
    """Names of variables of `outer` itself; `ends` are the ends of functions by their beginnings."""
    names = set()
    i = outer.begin + 1
    while i < outer.end:
        if i in ends:
            i = ends[i]
        elif code[i].kind == "name" and code[i].text in _DECLARING:
            k = i + 1
            while k < outer.end and code[k].text not in (";", ")", "]", "}", *_DECLARING):
                if code[k].kind == "name" and code[k - 1].text in (*_DECLARING, ","):
                    names.add(code[k].text)
                k = code.after_bracket(k) if code[k].text in ("(", "[", "{") else k + 1
        i += 1
    return names


def _changes(code: Code, i: int) -> bool:
    before, after = code.at(i - 1).text, code.at(i + 1).text
    if before in (".", "?.", *_DECLARING) or (after == ":" and before in ("{", ",")):
        return False
    if after in _ASSIGNING or after in _STEPPING or before in _STEPPING:
        return True
    end, method = code.member_chain(i + 1)
    following = code.at(end).text
    if end == i + 1:
        return False
    return following in _ASSIGNING or following in _STEPPING or (following == "(" and method in _MUTATING)
