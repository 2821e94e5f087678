from lns.registry.registry import Registry
from lns.registry.rows import DecodeFailure
from tests.registry.samples import execute, otaa, write_traces

EUI = "70b3d57ed0000001"


def test_open_failures_are_listed_newest_first(registry: Registry) -> None:
    write_traces(registry.path, registry.devices.add(otaa(name="cellar")).id)
    execute(
        registry.path, "INSERT INTO decode_failure VALUES (9, x'02', 1, NULL, 'parked', 'p', NULL, NULL, 14, 'open')"
    )
    nine = DecodeFailure(9, EUI, "cellar", None, None, "parked", "p", None, None, 14, "open")
    five = DecodeFailure(5, EUI, "cellar", "cayenne-lpp", 1, "exception", "no such field", 3, 14, 12, "open")
    assert registry.failures.page() == [nine, five]
    assert registry.failures.page(limit=1) == [nine]
    assert registry.failures.page(before=9) == [five]
    assert registry.failures.page(EUI) == [nine, five]
    assert registry.failures.page("70b3d57ed0000002") == []


def test_failures_to_retry_are_chosen_by_device_and_by_the_codec_in_use(registry: Registry) -> None:
    registry.templates.add({"name": "lpp", "codec": "cayenne-lpp"})
    registry.codecs.add("other", "function decodeUplink() {}", "ts013")
    by_template, own, none = (
        registry.devices.add(new).id
        for new in (otaa(1, template="lpp"), otaa(2, template="lpp", codec="other"), otaa(3))
    )
    for seq, device_id in enumerate((by_template, own, none), 1):
        row = (seq, b"", device_id, None, "timeout", "", None, None, 1, "open")
        execute(registry.path, "INSERT INTO decode_failure VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)
    assert registry.failures.uplink_seqs() == [1, 2, 3]
    assert registry.failures.uplink_seqs(codec_name="cayenne-lpp") == [1]
    assert registry.failures.uplink_seqs(codec_name="other") == [2]
    assert registry.failures.uplink_seqs("70b3d57ed0000003") == [3]
    assert registry.failures.uplink_seqs("70b3d57ed0000003", "other") == []
