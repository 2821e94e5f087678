import pytest

from lns.cli.importing import split


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("h\n1\n2\n3\n4\n5", [(2, "h\n1\n2"), (4, "h\n3\n4"), (6, "h\n5")]),
        ("h\r\n1\r\n2\r\n3\r\n", [(2, "h\r\n1\r\n2\r"), (4, "h\r\n3\r\n")]),
        # a cell with a line break, and with quotes in quotes, stays whole
        ('h\n"a\nb"\n2\n3', [(2, 'h\n"a\nb"'), (4, "h\n2\n3")]),
        ('h\n1\n"a ""x""\nb"\n3', [(2, 'h\n1\n"a ""x""\nb"'), (5, "h\n3")]),
        # a quote that is never closed takes the rest with it, as it does for the server
        ('h\n"1\n2\n3\n4', [(2, 'h\n"1\n2\n3\n4')]),
        ("h", [(2, "h")]),
        ("", [(2, "")]),
    ],
)
def test_parts_end_between_rows_and_know_their_line(text, parts):
    assert list(split(text, 2)) == parts
