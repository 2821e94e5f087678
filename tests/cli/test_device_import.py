"""`lns device import` against a real server."""

from tests.cli.server import table

IMPORT = """dev_eui,name,app_key
70b3d57ed0000101,one,2b7e151628aed2a6abf7158809cf4f3c
70b3d57ed00001,two,2b7e151628aed2a6abf7158809cf4f3c

70b3d57ed0000103,three,2b7e151628aed2a6abf7158809cf4f3c
70b3d57ed0000101,again,2b7e151628aed2a6abf7158809cf4f3c
"""


def test_an_import_refuses_bad_rows_and_adds_the_good_ones(on, tmp_path):
    (tmp_path / "devices.csv").write_text(IMPORT)
    dry = on("device", "import", "devices.csv", "--dry-run", "--json")
    assert dry.code == 1
    assert (dry.json["dry_run"], dry.json["created"], dry.json["failed"]) == (True, 0, 2)
    assert on("device", "show", "70b3d57ed0000101").code == 5
    ran = on("device", "import", "devices.csv")
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert [row[:3] for row in table(ran)[1:5]] == [
        ["2", "70b3d57ed0000101", "added"],
        ["3", "70b3d57ed00001", "refused:"],
        ["5", "70b3d57ed0000103", "added"],
        ["6", "70b3d57ed0000101", "refused:"],
    ]
    assert lines[-1] == "2 added, 2 refused"
    assert on("device", "show", "70b3d57ed0000103", "--json").json["name"] == "three"


def test_an_import_of_many_rows_is_sent_in_parts_and_counts_lines_over_all(on, tmp_path):
    key = "2b7e151628aed2a6abf7158809cf4f3c"
    rows = [f"70b3d57ed1{n:06x},,{key}" for n in range(2500)]
    rows[2400] = f"nonsense,,{key}"
    (tmp_path / "many.csv").write_text("\n".join(["dev_eui,name,app_key", *rows]))
    ran = on("device", "import", "many.csv")
    assert ran.code == 1
    assert table(ran)[1][:3] == ["2402", "nonsense", "refused:"]
    assert ran.out.splitlines()[-1] == "2499 added, 1 refused"
    assert len(on("device", "list", "--search", "70b3d57ed1", "--json").json) == 2499


def test_an_import_with_an_unknown_column_is_refused_whole(on, tmp_path):
    (tmp_path / "devices.csv").write_text("dev_eui,colour\n70b3d57ed0000201,red\n")
    ran = on("device", "import", "devices.csv")
    assert (ran.code, ran.out) == (1, "")
    assert "line 1: column 'colour' is not known" in ran.err
