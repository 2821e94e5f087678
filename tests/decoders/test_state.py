"""Which scripts are taken to leave something behind."""

import pytest

from decoders.state import Habits, habits

PLAIN = Habits(keeps_state=False)
KEEPS = Habits(keeps_state=True)
HIDES = Habits(keeps_state=False, hides_globals=True)

DECODE = "function decodeUplink(input) { %s return {data: {}}; }"


@pytest.mark.parametrize(
    "source",
    [
        DECODE % "",
        "var SCALE = 10; " + DECODE % "var t = input.bytes[0] / SCALE;",
        "var UNITS = ['C', 'F']; " + DECODE % "var u = UNITS[input.bytes[0]]; var n = UNITS.length;",
        "const TYPES = {1: {size: 2}}; " + DECODE % "const type = TYPES[1]; let at = type.size; at += 1;",
        "var NAMES = ['a']; " + DECODE % "NAMES.forEach(function (name) { var n = name; });",
        "function helper(bytes) { return bytes[0]; } " + DECODE % "helper(input.bytes);",
        "const helper = (bytes) => bytes[0]; " + DECODE % "helper(input.bytes);",
        "var last = {}; " + DECODE % "var data = {last: 1}; data.last = 2;",  # a key and a member of the same name
        "module.exports = {decodeUplink: function (input) { var n = 0; n++; return {data: {n: n}}; }};",
        "var a; var helper = (b) => b; " + DECODE % "helper(input.bytes);",
        "var flags = (1 + 2); var on = true; " + DECODE % "var x = on ? 1 : 2;",
        "var a, b; " + DECODE % "// a = 1; b.push(2)\n var text = 'a = 1';",
    ],
)
def test_a_script_that_only_reads_its_tables_is_plain(source: str) -> None:
    assert habits(source) == PLAIN


@pytest.mark.parametrize(
    "source",
    [
        "var count = 0; " + DECODE % "count++;",
        "var count = 0; " + DECODE % "--count;",
        "let last; " + DECODE % "last = input.bytes[0];",
        "const seen = []; " + DECODE % "seen.push(input.bytes[0]);",
        "const decoded = {}; " + DECODE % "decoded.temperature = 1;",
        "const decoded = {air: {}}; " + DECODE % "decoded.air['t'] = 1;",
        "var decoded = {}; function fill(o) { o.t = 1; } " + DECODE % "fill(decoded);",
        "var decoded = {}; function decodeUplink() { return {data: decoded}; }",
        "var a = 1, decoded = {}; " + DECODE % "delete decoded.t;",
        "var [a, b] = [0, 0]; " + DECODE % "a = b;",
        "const parser = new Parser(); " + DECODE % "parser.parse(input.bytes);",
        "const state = {x: {}}; " + DECODE % "var part = state.x; part.n = 1;",
        "function helper() {} helper.calls = 0; " + DECODE % "helper.calls += 1;",
        "const shared = (function () { return {}; })(); " + DECODE % "shared.n = 1;",
        "const shared = (function () { return {}; })(); " + DECODE % "return {data: shared};",
        "const map = new Map(); " + DECODE % "map.set(1, 2);",
        "count = 0; " + DECODE % "count++;",
        "this.count = 0; " + DECODE % "this.count++;",
        "var count = 0; " + DECODE % "globalThis.count = 1;",
        "var i; " + DECODE % "for (i in input) {}",
        "var a, b; " + DECODE % "[a, b] = input.bytes;",
        "var a; " + DECODE % "({a} = input);",
        "var all = /a/g; " + DECODE % "all.exec('a');",
        "var list = (function (l) { return function () { return l; }; })([]); " + DECODE % "list().push(1);",
        DECODE % "module.exports.last = 1;",
        "exports.decodeUplink = function (input) { exports.seen[0] = 1; };",
    ],
)
def test_a_script_that_may_change_a_top_level_value_keeps_state(source: str) -> None:
    assert habits(source).keeps_state


@pytest.mark.parametrize(
    "source",
    [
        DECODE % "eval('x = 1');",
        DECODE % "new Function('x = 1')();",
        DECODE % "Object.defineProperty(this, 'last', {value: 1});",
        DECODE % "Object.defineProperty(globalThis, 'last', {value: 1});",
        DECODE % "[].constructor.constructor('x = 1')();",
    ],
)
def test_a_script_that_may_hide_globals_is_looked_at_closely(source: str) -> None:
    assert habits(source) == HIDES


@pytest.mark.parametrize(
    "source",
    [
        DECODE % "for (i = 0; i < 3; i++) {} result = {}; this.last = 1;",
        "var a = /a/; " + DECODE % "a.test('a'); var [c, d] = input.bytes;",
        "(function (root) { root.driver = {decodeUplink: function () {}}; })(this);",
        "(function (m) { m[0]({exports: {}}, {}); })([function (module, exports) { module.exports = 1; }]);",
        "if (typeof module !== 'undefined') { module.exports = {decodeUplink: function () {}}; }",
    ],
)
def test_what_is_noticed_while_it_runs_or_happens_at_load_is_plain(source: str) -> None:
    assert habits(source) == PLAIN


def test_a_text_that_is_cut_short_is_judged_all_the_same() -> None:
    assert habits("function decodeUplink(input) { var f = function; a[") == PLAIN
    assert habits("var helper = function () {}; var other = class {}; function decodeUplink() { helper(other)") == PLAIN


def test_declared_names_are_no_globals() -> None:
    source = DECODE % "var i = 0, data = {n: [1, 2]}, k; for (k in data) { i = k; } data.n = i; input.x = 1;"
    assert habits(source) == PLAIN


def test_a_variable_that_is_changed_is_state_and_no_new_global() -> None:
    assert habits("var count = 0; " + DECODE % "count++;") == KEEPS
