import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lns.registry.device_input import parse_device
from lns.registry.errors import RegistryError
from lns.registry.import_csv import COLUMNS, create, read_rows
from lns.registry.registry import Registry
from lns.registry.rows import RowResult
from tests.registry.samples import APP_KEY, APP_S_KEY, KEYS_1_1, NWK_KEY, NWK_S_KEY, abp, otaa

EUI = "70b3d57ed0000001"


def test_all_columns_are_read() -> None:
    text = (
        "dev_eui,name,application,template,activation,join_eui,app_key,nwk_key,gen_app_key,dev_addr,nwk_s_key,"
        "f_nwk_s_int_key,s_nwk_s_int_key,nwk_s_enc_key,app_s_key,fcnt_up,fcnt_down,afcnt_down,codec,tags,network\n"
        f"{EUI},cellar,a,t,OTAA,70B3D57ED0000000,{APP_KEY},{NWK_KEY},{APP_S_KEY},,,,,,,,,,c,room = 1; floor=-1;,"
        '"{""device_class"": ""C"", ""adr"": {""max_dr"": 3}}"\n'
        f"70b3d57ed0000002,,,,,,,,,00000002,{NWK_S_KEY},,,,{APP_S_KEY},41,7,,,,\n"
        f"70b3d57ed0000003,,,,,,,,,00000003,,{','.join(KEYS_1_1.values())},41,7,5,,,\n"
    )
    first, second, third = read_rows(text)
    assert sorted(text.partition("\n")[0].split(",")) == sorted(COLUMNS)
    more = {"join_eui": "70b3d57ed0000000", "codec": "c", "tags": {"room": "1", "floor": "-1"}}
    more |= {"nwk_key": NWK_KEY, "gen_app_key": APP_S_KEY, "network": {"device_class": "C", "adr": {"max_dr": 3}}}
    assert first.device == otaa(1, name="cellar", application="a", template="t", **more)
    assert second.device == abp(2, {"fcnt_up": 41, "fcnt_down": 7})
    counters = {"fcnt_up": 41, "fcnt_down": 7, "afcnt_down": 5}
    session = {"dev_addr": "00000003", **KEYS_1_1, **counters}
    assert third.device == parse_device({"dev_eui": "70b3d57ed0000003", "abp": session})


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_files_of_spreadsheets_are_read(newline: str, separator: str) -> None:
    rows: list[list[str]] = [[" DEV_EUI", "App_Key ", "name"], [EUI, APP_KEY, '"a, b; c"'], ["", "", ""], []]
    text = "\ufeff" + newline.join(separator.join(row) for row in rows) + newline
    assert [(r.line, r.device) for r in read_rows(text)] == [(2, otaa(1, name="a, b; c"))]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (f"70b3,{APP_KEY},", "dev_eui: '70b3' is not an EUI: 16 hex digits are needed"),
        (f",{APP_KEY},", "dev_eui is missing: 16 hex digits are needed"),
        (f"{EUI},{APP_KEY}", "the row has 2 cells, the header has 3"),
        (f"{EUI},{APP_KEY},,", "the row has 4 cells, the header has 3"),
        (f"{EUI},{APP_KEY[:-1]},", "app_key: the key has 31 characters: 32 hex digits are needed"),
        (f"{EUI},{APP_KEY},room", "tags has 'room', key=value;key=value is needed"),
        (f"{EUI},{APP_KEY},=1", "tags has the name '': 1 to 64 characters are needed"),
    ],
)
def test_bad_row_names_value_and_limit(row: str, problem: str) -> None:
    good = f"{EUI},{APP_KEY},"
    rows = read_rows(f"dev_eui,app_key,tags\n{good}\n{row}\n{good}")
    assert [(r.line, r.problem) for r in rows] == [(2, None), (3, problem), (4, None)]


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("C", "network is 'C', a JSON object is needed"),
        ("[]", "network is '[]', a JSON object is needed"),
        ("{}", None),
        ('"{""adr"": 1}"', "network.adr is 1, expected object, got int"),
    ],
)
def test_network_is_an_object(cell: str, problem: str | None) -> None:
    (row,) = read_rows(f"dev_eui,app_key,network\n{EUI},{APP_KEY},{cell}\n")
    assert row.problem == problem


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("-1", "fcnt_up is '-1', a whole number is needed"),
        ("1.5", "fcnt_up is '1.5', a whole number is needed"),
        ("٣", "fcnt_up is '٣', a whole number is needed"),
        ("4294967296", "fcnt_up is 4294967296, -1 to 4294967295 is allowed"),
    ],
)
def test_counters_are_whole_numbers(cell: str, problem: str) -> None:
    (row,) = read_rows(f"dev_eui,dev_addr,nwk_s_key,app_s_key,fcnt_up\n{EUI},00000001,{NWK_S_KEY},{APP_S_KEY},{cell}\n")
    assert row.problem == problem


def test_cell_that_no_csv_reader_takes_costs_its_row_only() -> None:
    huge = "x" * 131_073
    rows = read_rows(f"dev_eui,app_key\n{EUI},{huge}\n{EUI},{APP_KEY}\n")
    problem = "not csv: field larger than field limit (131072)"
    assert [(r.line, r.dev_eui, r.problem) for r in rows] == [(2, None, problem), (3, EUI, None)]
    with pytest.raises(RegistryError, match=r"^line 1: not csv: field larger than field limit \(131072\): the first"):
        read_rows(huge)


def test_line_is_where_the_row_starts() -> None:
    rows = read_rows(f'dev_eui,name\n\n{EUI},"a\nb"\n{EUI},c\n')
    assert [r.line for r in rows] == [3, 5]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", f"line 1: the file is empty: the first line names the columns, {', '.join(COLUMNS)}"),
        ("eui,name\n", f"line 1: column 'eui' is not known, known are {', '.join(COLUMNS)}"),
        ("name\n", "line 1: column 'dev_eui' is missing, the first line names the columns"),
        ("dev_eui,name,NAME\n", "line 1: column 'name' is there 2 times"),
    ],
)
def test_header_that_names_no_columns_is_refused(text: str, problem: str) -> None:
    with pytest.raises(RegistryError) as caught:
        read_rows(text)
    assert (caught.value.code, str(caught.value)) == ("invalid", problem)


def test_bad_rows_never_stop_the_good_ones(registry: Registry) -> None:
    registry.devices.add(otaa(9))
    text = (
        "dev_eui,app_key,application\n"
        f"70b3d57ed0000001,{APP_KEY},\n"
        f"70b3d57ed0000002,{APP_KEY},nowhere\n"
        f"oops,{APP_KEY},\n"
        f"70b3d57ed0000009,{APP_KEY},\n"
        f"70b3d57ed0000001,{APP_KEY},\n"
        f"70b3d57ed0000003,{APP_KEY},default\n"
    )
    expected = [
        RowResult(2, "70b3d57ed0000001", None),
        RowResult(3, "70b3d57ed0000002", "application 'nowhere' does not exist"),
        RowResult(4, "oops", "dev_eui: 'oops' is not an EUI: 16 hex digits are needed"),
        RowResult(5, "70b3d57ed0000009", "device 70b3d57ed0000009 exists already"),
        RowResult(6, "70b3d57ed0000001", "device 70b3d57ed0000001 is given twice, the first one counts"),
        RowResult(7, "70b3d57ed0000003", None),
    ]
    assert create(registry.devices, read_rows(text), dry_run=True) == expected
    assert len(registry.devices.page()) == 1
    assert create(registry.devices, read_rows(text), dry_run=False) == expected
    assert [d.dev_eui[-1] for d in registry.devices.page()] == ["9", "1", "3"]


HEX = st.text("0123456789abcdefABCDEF-:", max_size=40)
CELL = st.one_of(
    st.sampled_from(["", EUI, APP_KEY, "otaa", "abp", "00000001", "1", "a=b;c", "default"]), HEX, st.text()
)


@st.composite
def tables(draw: st.DrawFn) -> str:
    """CSV of known columns with cells of all kinds."""
    columns = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, unique=True))
    rows = draw(st.lists(st.lists(CELL, min_size=len(columns), max_size=len(columns)), max_size=5))
    out = io.StringIO()
    csv.writer(out, lineterminator=draw(st.sampled_from(["\n", "\r\n"]))).writerows(
        [("dev_eui" in columns and columns) or ["dev_eui", *columns]]
    )
    csv.writer(out).writerows(rows)
    return out.getvalue()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(text=st.one_of(st.text(), st.text().map(lambda rest: "dev_eui,app_key\n" + rest), tables()))
def test_any_text_gives_a_result_for_each_row_or_a_refused_header(registry: Registry, text: str) -> None:
    try:
        rows = read_rows(text)
    except RegistryError as error:
        refused = str(error)
        assert refused.startswith("line 1:")
        return
    results = create(registry.devices, rows, dry_run=True)
    assert [r.line for r in results] == [r.line for r in rows] == sorted({r.line for r in rows})
    assert all(r.error is None or r.error for r in results)
