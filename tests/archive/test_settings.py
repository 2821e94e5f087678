"""The section of the configuration becomes a storage."""

import msgspec
import pytest

from lns.archive.settings import Archive, storage
from lns.archive.storage import Folder
from lns.errors import StoreError


async def test_the_archive_is_a_folder_of_the_data_folder_unless_another_is_named(tmp_path):
    for settings, folder in ((Archive(), tmp_path / "archive"), (Archive(folder=str(tmp_path / "x")), tmp_path / "x")):
        found = storage(settings, tmp_path, {})
        assert isinstance(found, Folder)
        await found.put("name", b"")
        assert (folder / "name").exists()


def test_keys_of_a_bucket_come_from_the_environment(tmp_path):
    settings = Archive(bucket="b", endpoint="http://127.0.0.1:1", access_key_env="A", secret_key_env="S")
    with pytest.raises(
        StoreError, match=r"^archive.access_key_env names the environment variable A, which is not set$"
    ):
        storage(settings, tmp_path, {"S": "x"})
    with pytest.raises(
        StoreError, match=r"^archive.secret_key_env names the environment variable S, which is not set$"
    ):
        storage(settings, tmp_path, {"A": "x"})
    pytest.importorskip("obstore", reason="no S3 client: pip install inflight-lns[archive]")
    assert type(storage(settings, tmp_path, {"A": "x", "S": "y"})).__name__ == "Bucket"


@pytest.mark.parametrize("wrong", [{"file_uplinks": 0}, {"file_age_s": 0.5}, {"retention_days": -1}, {"buckets": "x"}])
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Archive)


def test_keys_in_the_endpoint_are_refused_and_not_shown(tmp_path):
    settings = Archive(bucket="b", endpoint="http://key:hunter2@127.0.0.1:1")
    with pytest.raises(StoreError) as raised:
        storage(settings, tmp_path, {})
    told = "archive.endpoint is 'http://***@127.0.0.1:1': keys are taken from the environment only"
    assert str(raised.value) == told


def test_an_endpoint_that_is_no_url_is_refused(tmp_path):
    with pytest.raises(StoreError, match=r"^archive.endpoint is '127.0.0.1:9000': it must begin with http:// or"):
        storage(Archive(bucket="b", endpoint="127.0.0.1:9000"), tmp_path, {})
