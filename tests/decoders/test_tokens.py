"""Token boundaries that decide what is code and what is text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.tokens import position, tokens


def texts(source: str) -> list[str]:
    return [token.text for token in tokens(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a /* b */ c // d\n e", ["a", "c", "e"]),
        ("x = 'it\\'s' + \"q\"", ["x", "=", "'it\\'s'", "+", '"q"']),
        ("a / b / c", ["a", "/", "b", "/", "c"]),
        ("return /[/]async/g.test(s)", ["return", "/[/]async/g", ".", "test", "(", "s", ")"]),
        ("f(/=/)", ["f", "(", "/=/", ")"]),
        ("(a) / 2 / b", ["(", "a", ")", "/", "2", "/", "b"]),
        ("`a ${b + `c ${'}'}`} d` + e", ["`a ${b + `c ${'}'}`} d`", "+", "e"]),
        ("a >>>= b !== c => d?.e ?? 0.5", ["a", ">>>=", "b", "!==", "c", "=>", "d", "?.", "e", "?", "?", "0.5"]),
        ("`a \\` b`", ["`a \\` b`"]),
        ("x ? .5 : 1e3", ["x", "?", ".5", ":", "1e3"]),
        ("/* never closed", []),
        ("'never closed", ["'never closed"]),
        ("`never closed ${", ["`never closed ${"]),
        ("größe = 1", ["größe", "=", "1"]),
    ],
)
def test_source_is_cut_at_the_right_places(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


def test_position_counts_lines_and_columns_from_one() -> None:
    source = "ab\ncd\n"
    assert [position(source, at) for at in (0, 1, 3, 4)] == [(1, 1), (1, 2), (2, 1), (2, 2)]


@given(st.text(alphabet="ab1 \n/*'\"`${}()[]\\=.+-<!?:;é", max_size=60))
def test_any_text_is_cut_without_loss_of_order(source: str) -> None:
    at = 0
    for token in tokens(source):
        assert token.text
        assert token.at >= at
        assert source.startswith(token.text, token.at)
        at = token.at + len(token.text)
