"""The configuration file: what is refused, in which words, and that all of it is documented."""

from pathlib import Path

import msgspec
import pytest

from lns.cli.settings import markdown, settings
from lns.config import REGION_DEFAULTS, Config, ConfigError, Network, Udp, load
from lns.lorawan.regions import REGIONS

DOCS = Path(__file__).parent.parent / "docs" / "configuration.md"

KNOWN = ", ".join(map(repr, REGIONS))

REFUSED = [
    # unknown keys, with their whole path
    ("[udp]\nprot = 1701", "$.udp.prot is not a known key; did you mean port"),
    ("[log]\ncolour = true", "$.log.colour is not a known key; it has level, format"),
    ("[nettwork]\nregion = 'EU868'", "$.nettwork is not a known key; did you mean network"),
    # wrong types
    ("[udp]\nport = '1700'", "$.udp.port is '1700', expected int, got str"),
    ("udp = 1700", "$.udp is 1700, expected a section, got int"),
    (
        "postgres = 'postgresql://u:hunter2@h/db'",
        "$.postgres is 'postgresql://***@h/db', expected a section, got str",
    ),
    (
        "postgres = 'host=h password=hunter2 user=u'",
        "$.postgres is 'host=h password=*** user=u', expected a section, got str",
    ),
    ("[series]\nenabled = 1", "$.series.enabled is 1, expected bool, got int"),
    # out of range: the value and the limit
    ("[udp]\nport = 65536", "$.udp.port is 65536, expected int <= 65535"),
    ("[udp]\nport = -1", "$.udp.port is -1, expected int >= 0"),
    ("[network]\ndedup_window_ms = 9", "$.network.dedup_window_ms is 9, expected int >= 10"),
    ("[network]\ndedup_window_ms = 2001", "$.network.dedup_window_ms is 2001, expected int <= 2000"),
    ("[regions.EU868]\nrx1_delay_s = 16", "$.regions.EU868.rx1_delay_s is 16, expected int <= 15"),
    ("[regions.IN865]\nextra_channels_hz = [1]", "$.regions.IN865.extra_channels_hz[0] is 1, expected int >= 1000000"),
    (
        "[regions.AS923-1]\nrx2_dr = 8",
        "$.regions.AS923-1.rx2_dr is 8, AS923-1 has downlink data rates 0, 1, 2, 3, 4, 5, 6, 7",
    ),
    ("[regions.US915]\nsub_band = 9", "$.regions.US915.sub_band is 9, 1 to 8 exist in US915"),
    ("[regions.US915]\nsub_bnd = 1", "$.regions.US915.sub_bnd is not a known key; did you mean sub_band"),
    ("[regions]\nUS915 = 2", "$.regions.US915 is 2, expected a section, got int"),
    ("[regions.EU863]\nsub_band = 1", "$.regions.EU863 is not a known region; did you mean EU868"),
    ("[network]\nnet_id = '13'", "$.network.net_id is '13', expected str matching regex '^[0-9A-Fa-f]{6}$'"),
    # not one of the choices
    ("[network]\nregion = 'EU863'", f"$.network.region is 'EU863', expected one of {KNOWN}"),
    ("[log]\nlevel = 'info'", "$.log.level is 'info', expected one of 'DEBUG', 'INFO', 'WARNING', 'ERROR'"),
]


@pytest.fixture
def write(tmp_path):
    def write(text):
        file = tmp_path / "inflight.toml"
        file.write_text(text)
        return file

    return write


@pytest.mark.parametrize(("text", "problem"), REFUSED)
def test_a_wrong_file_is_refused_with_path_value_and_limit(write, text, problem):
    with pytest.raises(ConfigError) as caught:
        load(file := write(text))
    assert str(caught.value) == f"{file}: {problem}"


ALL_AT_ONCE = """
colour = true
[udp]
prot = 1701
port = 65536
[network]
dedup_window_ms = 5000
[regions.EU868]
rx1_delay_s = 16
rx2 = 1
[regions.EU863]
sub_band = 1
[regions.US915]
sub_band = 9
[regions.IN865]
extra_channels_hz = [1, 2]
[series]
enabled = 1
retention_days = 3
"""


def test_all_faults_of_a_file_are_told_at_once(write):
    with pytest.raises(ConfigError) as caught:
        load(file := write(ALL_AT_ONCE))
    told = str(caught.value).splitlines()
    assert sorted(told) == sorted(
        f"{file}: $.{fault}"
        for fault in (
            "colour is not a known key; it has " + ", ".join(Config.__struct_fields__),
            "udp.prot is not a known key; did you mean port",
            "udp.port is 65536, expected int <= 65535",
            "network.dedup_window_ms is 5000, expected int <= 2000",
            "series.enabled is 1, expected bool, got int",
            "regions.EU868.rx1_delay_s is 16, expected int <= 15",
            "regions.EU868.rx2 is not a known key; did you mean rx2_dr",
            "regions.EU863 is not a known region; did you mean EU868",
            "regions.US915.sub_band is 9, 1 to 8 exist in US915",
            "regions.IN865.extra_channels_hz[0] is 1, expected int >= 1000000",
        )
    )


def test_text_that_is_not_toml_is_refused_with_its_line(write):
    file = write("[udp\nport = 1")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file} is not TOML: ")
    assert "line 1" in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.toml")
    assert str(caught.value) == f"cannot read {tmp_path / 'none.toml'}: No such file or directory"


def test_without_a_file_everything_has_its_default():
    assert load(None) == Config()


def test_what_the_file_does_not_name_keeps_its_default(write):
    config = load(write("data_dir = '/srv/lns'\n[udp]\nport = 1701"))
    assert config == Config(data_dir="/srv/lns", udp=Udp(port=1701))


def test_a_section_of_a_region_keeps_the_defaults_it_does_not_name(write):
    config = load(write("[regions.EU868]\nrx1_delay_s = 5"))
    usual = REGION_DEFAULTS["EU868"]
    assert config.region_settings("EU868") == msgspec.structs.replace(usual, rx1_delay_s=5)
    assert config.region_settings("US915").sub_band == 2
    assert config.region_settings("KR920").extra_channels_hz == ()


def test_overrides_lie_over_the_file(write):
    file = write("[udp]\nport = 1701\nhost = '::1'\n[network]\nregion = 'US915'")
    config = load(file, {"data_dir": "elsewhere", "udp": {"port": 0}})
    assert config == Config(data_dir="elsewhere", udp=Udp(port=0, host="::1"), network=Network(region="US915"))


def test_every_setting_has_a_meaning():
    assert [setting.key for setting in settings() if not setting.meaning] == []
    assert len(settings()) == len({setting.key for setting in settings()}) > 40


def test_the_documentation_lists_every_setting_as_the_source_has_it():
    _, _, rest = DOCS.read_text("utf-8").partition("<!-- lns check --explain -->\n\n")
    table, _, _ = rest.partition("\n<!-- end -->")
    assert table == markdown(), "put the output of `lns check --explain` into docs/configuration.md"
