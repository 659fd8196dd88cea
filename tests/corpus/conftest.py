import shutil

import pytest
from bad_input import folders


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """A source folder of every image and every mask of the corpus."""
    folder = tmp_path_factory.mktemp("corpus") / "source"
    pictures, drawn = folders.write_source(folder)
    return folder, pictures, drawn


@pytest.fixture
def copy_of_prepared(prepared, tmp_path):
    """A prepared data set of phantoms that a test may damage."""
    return shutil.copytree(prepared, tmp_path / "prepared")
