"""Where JAX keeps what it compiled."""

import os
import sys

import pytest

from lungcli import nn

NAME = "JAX_COMPILATION_CACHE_DIR"


@pytest.fixture
def home(monkeypatch, tmp_path):
    """A home folder, in a process that has not loaded JAX."""
    monkeypatch.setenv(NAME, "")  # so that it is as before after the test
    monkeypatch.delenv(NAME)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    return tmp_path


def test_in_the_home_folder(home):
    nn._keep_compiled()
    assert os.environ[NAME] == str(home / ".cache" / "lungcli" / "jax")


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        pytest.param("{home}/other", "other", id="absolute"),
        pytest.param("other", ".cache", id="relative"),
        pytest.param("", ".cache", id="empty"),
    ],
)
def test_in_the_folder_for_caches(home, monkeypatch, folder, expected):
    monkeypatch.setenv("XDG_CACHE_HOME", folder.format(home=home))
    nn._keep_compiled()
    assert os.environ[NAME] == str(home / expected / "lungcli" / "jax")


@pytest.mark.parametrize("folder", ["", "/mine"])
def test_the_users_choice_is_kept(home, monkeypatch, folder):
    monkeypatch.setenv(NAME, folder)
    nn._keep_compiled()
    assert os.environ[NAME] == folder


def test_nothing_is_set_too_late(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", sys)
    nn._keep_compiled()
    assert NAME not in os.environ


def test_a_home_that_cannot_be_written_to(home):
    (home / ".cache").write_text("no folder")
    nn._keep_compiled()
    assert NAME not in os.environ
