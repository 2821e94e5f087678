"""What is said about a script before it runs."""

import pytest

from decoders.contract import MAX_SOURCE_BYTES, Error
from decoders.conventions import explain, lint, locate
from decoders.modules import classic

ASYNC = "async code is not available: a decoder answers at once, so remove async and await"
MODULE = "import of anything but buffer is not available: a decoder is one file, so paste the code in or bundle it"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("async function decodeUplink(input) {}", Error("syntax", ASYNC, 1, 1)),
        ("var x = 1;\n  const f = async (a, b) => a;", Error("syntax", ASYNC, 2, 13)),
        ("const f = async x => x", Error("syntax", ASYNC, 1, 11)),
        ("const o = { async read() {} }", Error("syntax", ASYNC, 1, 13)),
        ("const o = { async *read() {} }", Error("syntax", ASYNC, 1, 13)),
        ("import x from 'y'", Error("syntax", MODULE, 1, 1)),
        ("import 'y'", Error("syntax", MODULE, 1, 1)),
        ("var y = import('y')", Error("syntax", MODULE, 1, 9)),
        ("export * from 'y'", Error("syntax", MODULE, 1, 1)),
        ("import { Buffer } from 'buffer';\nimport x from 'y'", Error("syntax", MODULE, 2, 1)),
    ],
)
def test_async_code_and_modules_are_refused_where_they_begin(source: str, expected: Error) -> None:
    assert lint(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "function decodeUplink(input) { return {data: {}}; }",
        "// async function\n/* import x */ var s = 'export default'; var t = `async () => 1`;",
        "var o = {async: 1, import: 2, export: 3}; o.async = o.import + o.export;",
        "var async = 1; if (async) { async = 2 }",
        "function async(x) { return x } var y = async(1) + 2;",
        "var async\nfunction f() {}",
        "for (async of [1]) {} var n = async",
        "async(1",
        "var pattern = /import x/; var half = a / b; // async function",
    ],
)
def test_the_words_alone_are_no_reason(source: str) -> None:
    assert lint(source) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("export function decodeUplink() {}", "       function decodeUplink() {}"),
        ("import { Buffer } from 'buffer';\nf()", 'var { Buffer } = require("buffer");\nf()'),
        ('import { Buffer as B } from "node:buffer"', 'var { Buffer : B } = require("node:buffer")'),
        ("import * as b from 'buffer'", 'var b = require("buffer")'),
        ("import 'buffer'; f()", "; f()"),
        ("export {\n  a,\n  b as decodeUplink\n};", "module.exports.decodeUplink = b; \n\n\n;"),
        ("export default function decodeUplink() {}", " function decodeUplink() {}"),
        ("export default { a }", "module.exports.default = { a }"),
        ("export default function () {}", "module.exports.default = function () {}"),
        ("f({export: 1}); o.import = 2; // import x", "f({export: 1}); o.import = 2; // import x"),
    ],
)
def test_imports_of_buffer_and_exports_become_classic(source: str, expected: str) -> None:
    assert classic(source) == expected


def test_a_script_is_refused_for_its_size() -> None:
    source = "//" + "x" * MAX_SOURCE_BYTES
    assert lint(source) == Error("too_large", "the script is 524290 bytes, at most 524288 are accepted")
    assert lint(source[:MAX_SOURCE_BYTES]) is None


def test_a_script_has_to_be_text() -> None:
    assert lint("var a;\n'\ud800'") == Error("syntax", "the script is not valid Unicode text", 2, 2)


def test_known_syntax_errors_are_explained() -> None:
    assert explain("SyntaxError: Illegal return statement") == (
        "return outside a function: put the code into function decodeUplink(input) { ... }"
    )
    assert explain("Unexpected token ')'") == "Unexpected token ')'"


def test_the_author_is_shown_his_own_innermost_line() -> None:
    stack = "Error: no\n    at require (prelude.js:4:9)\n    at read (decoder.js:12:5)\n    at decoder.js:30:1"
    assert locate(stack) == (12, 5)
    assert locate("Error: no\n    at prelude.js:4:9") == (None, None)
