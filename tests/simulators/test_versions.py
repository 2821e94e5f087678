"""The table of versions; what each entry changes is tested where it is used."""

import pytest

from simulators.versions import VERSIONS, version


def test_the_known_versions():
    assert list(VERSIONS) == ["1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.1"]
    assert {name: VERSIONS[name].counts_dev_nonces for name in VERSIONS if VERSIONS[name].counts_dev_nonces} == {
        "1.0.4": True,
        "1.1": True,
    }
    assert version("1.1").minor == 1


def test_an_unknown_version_is_named_with_the_known_ones():
    with pytest.raises(ValueError) as caught:
        version("2.0")
    assert str(caught.value) == "lorawan version '2.0' is not known, 1.0.0, 1.0.1, 1.0.2, 1.0.3, 1.0.4, 1.1 are"
