"""Which functions of a script run while it is loaded, and which variables their closures keep."""

import time

import pytest

from decoders.closures import changes_exports, declared_in, keeps_closures, patches_built_ins
from decoders.functions import Function, Functions
from decoders.state import habits
from decoders.tokens import Code


def names(source: str) -> tuple[list[str], list[str]]:
    """Functions that run at load, and the others; those without a name as `-`."""
    functions = Functions(Code(source))
    return [f.name or "-" for f in functions.loading], [f.name or "-" for f in functions.later]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("function a() { function b() {} }", ([], ["a", "b"])),
        ("(function () { function b() {} })();", (["-"], ["b"])),
        ("(function () { return 1; }).call(this);", (["-"], [])),
        ("(() => { var a; })();", (["-"], [])),
        ("function a() {} a();", (["a"], [])),
        ("function a() { a(); }", ([], ["a"])),
        ("var o = {a() {}, ['b']() {}, get c() {}, d: (x) => x + 1, e: async (x) => ({x})};", ([], list("a]c--"))),
        ("if (a) {} for (;;) {} while (b) {} switch (c) {}", ([], [])),
        ("(function (modules) { })([function (m) { function a() {} }, function (m) {}]);", (["-", "-", "-"], ["a"])),
        ("(function (root, factory) { })(this, function () { return function () {}; });", (["-", "-"], ["-"])),
        ("function a() { (function () { function b() {} })(); }", ([], ["a", "-", "b"])),
        ("function a() { (function (m) {})([function () {}]); }", ([], ["a", "-", "-"])),
    ],
)
def test_what_runs_at_load(source: str, expected: tuple[list[str], list[str]]) -> None:
    assert names(source) == expected


IIFE = "var driver = (function () { %s return {decodeUplink: function (input) { %s }}; })();"


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        (IIFE % ("var last;", "last = 1;"), True),
        (IIFE % ("var last = [];", "last.push(1);"), True),
        (IIFE % ("let a = 1, last = {};", "last.t = 1;"), True),
        (IIFE % ("let n = 0;", "n++;"), True),
        (IIFE % ("var last;", "var last = 1; return last;"), False),
        (IIFE % ("var table = {a: 1};", "return table.a;"), False),
        (IIFE % ("var Kind; (function (Kind) { Kind[Kind.A = 0] = 'A'; })(Kind || (Kind = {}));", ""), False),
        ("(function (root, f) { root.driver = f(); })(this, function () { var n = 0; return () => n++; });", True),
        ("function decodeUplink() { var n = 0; (function () { n = 1; })(); }", False),
    ],
)
def test_what_a_closure_keeps(source: str, kept: bool) -> None:
    code = Code(source)
    assert keeps_closures(code, Functions(code)) == kept


@pytest.mark.parametrize(
    ("source", "patched"),
    [
        ("function decodeUplink() { Array.prototype.last = 1; }", True),
        ("function decodeUplink() { Object.defineProperty(Object, 'assign', {}); }", True),
        ("Array.prototype.last = 1; if (!Math.trunc) { Math.trunc = function (x) { return ~~x; }; }", False),
        ("(function () { Math.trunc = 1; })(); (function (m) {})([function () { Math.log2 = 1; }]);", False),
        ("function decodeUplink() { var Math = {}; return Array.isArray(1); }", False),
    ],
)
def test_what_patches_built_ins(source: str, patched: bool) -> None:
    code = Code(source)
    assert patches_built_ins(code, Functions(code)) == patched


def test_what_changes_exports() -> None:
    for source, changed in (
        ("function f() { exports.n = 1; }", True),
        ("module.exports = {}; exports.f = function () {};", False),
        ("(function (m) {})([function (module, exports) { exports.f = 1; function g() { m.n = 1; } }]);", False),
    ):
        code = Code(source)
        assert changes_exports(code, Functions(code)) == changed


def test_variables_of_a_block_are_the_scripts() -> None:
    code = Code("var a = [x, y], b; if (1) { var c = {d: 1}, e; } function f() { var g; } for (let h = 0;;) {}")
    ends = {function.begin: function.end for function in Functions(code).all}
    assert declared_in(code, Function("", -1, -1, len(code)), ends) == set("abceh")


@pytest.mark.parametrize(
    "part",
    ["a[", "var a=[[", "function f(a", "(function(){var a;", "x(){", "=/[a", "`${", "){", "a=>", "[a]=", "var a,"],
)
def test_no_text_takes_long_to_judge(part: str) -> None:
    began = time.process_time()
    habits(part * (100_000 // len(part)))
    assert time.process_time() - began < 4


def test_a_bundle_that_patches_while_it_loads_is_judged_soon_and_as_plain() -> None:
    module = "function (module, exports, need) { Math.trunc = need(1); exports.f = function (x) { return x; }; },"
    source = "(function (all) { var c = {}; all[0](c, c, 1); })([" + module * 2500 + "]); function decodeUplink() {}"
    began = time.process_time()
    assert not any(habits(source))
    assert time.process_time() - began < 4
