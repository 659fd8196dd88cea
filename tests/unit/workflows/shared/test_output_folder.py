"""Results never go into a prepared data set, on disk or behind a URL."""

from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from lungcli.errors import OutputError, RemoteError
from lungcli.stores import objects as stores
from lungcli.system.urls import Url
from lungcli.workflows.shared.output_folder import check_output


@pytest.fixture
def memory():
    """fsspec's file system in memory, empty."""
    MemoryFileSystem.store.clear()
    stores._connection.cache_clear()
    return MemoryFileSystem()


def test_no_results_into_a_prepared_data_set_behind_a_url(memory):
    memory.pipe(
        "/scans/data/dataset.json", b'{"format_version": 3, "fingerprint": "00"}'
    )
    memory.pipe("/scans/other/dataset.json", b'{"name": "of nnU-Net"}')
    for folder in ("data", "data/masks"):
        with pytest.raises(OutputError, match="prepared data set memory://scans/data"):
            check_output(Url(f"memory://scans/{folder}"))
    check_output(Url("memory://scans/other/masks"))


def test_no_results_to_the_web_or_to_what_was_meant_as_a_url():
    with pytest.raises(RemoteError, match="nothing can be written to https://h/x"):
        check_output(Url("https://h/x"))
    with pytest.raises(OutputError, match="nothing but predict and prepare writes to"):
        check_output(Path("s3://bucket/runs"))
