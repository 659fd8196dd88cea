"""Which cases are drawn, in which order, and into which files."""

import math

import numpy as np
import pytest
from PIL import Image

from lungcli.data.prepared import open_prepared
from lungcli.errors import ConfigError, DatasetError
from lungcli.pictures import sheet
from lungcli.workflows.drawing import sheets as picture_sheets
from lungcli.workflows.drawing.panel_cases import worst_first
from lungcli.workflows.drawing.visualize import PictureSettings, names_a_film, visualize
from lungcli.workflows.shared.sampling import Sample, find_cases


def draw(prepared, run, out, *, split="all", **settings):
    chosen = {"films": (), "side": 64, **settings}
    how = PictureSettings(**chosen)
    return visualize([prepared], run, settings=how, split=split, out=out)


def opened(path):
    with Image.open(path) as picture:
        return np.array(picture)


@pytest.fixture
def tiles(monkeypatch):
    """The tiles of every sheet that is drawn."""
    drawn = []

    def remember(given, **options):
        drawn.append(list(given))
        return sheet.contact_sheet(given, **options)

    monkeypatch.setattr(picture_sheets, "contact_sheet", remember)
    return drawn


def test_grid_has_the_lowest_dice_first(prepared, run, tmp_path, tiles):
    paths = draw(prepared, run, tmp_path, grid=True)
    assert [path.name for path in paths] == ["grid.png"]
    values = [float(tile.value) for tile in tiles[0]]
    assert values == sorted(values)
    assert len(values) == 12
    assert opened(paths[0]).shape[1] > 4 * 32


def test_a_long_grid_has_pages(prepared, run, tmp_path, tiles, monkeypatch):
    monkeypatch.setattr(picture_sheets, "TILES_A_SHEET", 5)
    paths = draw(prepared, run, tmp_path, grid=True)
    assert [path.name for path in paths] == ["grid-1.png", "grid-2.png", "grid-3.png"]
    assert [len(page) for page in tiles] == [5, 5, 2]
    values = [float(tile.value) for page in tiles for tile in page]
    assert values == sorted(values)


def test_worst_of_the_grid_are_the_first_of_all(prepared, run, tmp_path, tiles):
    draw(prepared, run, tmp_path, grid=True)
    draw(prepared, run, tmp_path, grid=True, sample=Sample(worst=3))
    captions = [[tile.caption for tile in page] for page in tiles]
    assert captions[1] == captions[0][:3]


def test_the_lot_is_seeded(prepared):
    datasets = [open_prepared(prepared)]

    def drawn(**sample):
        cases = find_cases(datasets, "all", Sample(**sample))
        return [case.case_id for _, case in cases]

    assert drawn(random=4, seed=1) == drawn(random=4, seed=1)
    assert len(set(drawn(random=4, seed=1))) == 4
    assert len({tuple(drawn(random=4, seed=seed)) for seed in range(9)}) > 5
    everything = drawn()
    assert drawn(random=99) == everything
    some = drawn(random=4)
    assert some == [name for name in everything if name in some]  # their own order


def test_a_case_goes_by_its_name_with_or_without_its_source(prepared):
    datasets = [open_prepared(prepared)]
    dataset, case = find_cases(datasets, "all", Sample())[3]
    for name in (case.case_id, f"{case.source}/{case.case_id}"):
        assert find_cases(datasets, "all", Sample(cases=(name,))) == [(dataset, case)]
    with pytest.raises(DatasetError, match="no case other/x in split 'all'"):
        find_cases(datasets, "all", Sample(cases=(case.case_id, "other/x")))


def test_pictures_of_training_cases_come_with_a_note(prepared, run, tmp_path):
    told = []
    settings = PictureSettings(films=(), overlays=True, sample=Sample(random=1))
    common = {"settings": settings, "announce": told.append}
    visualize([prepared], run, split="train", out=tmp_path / "seen", **common)
    assert any("trained on 1 of these 1 cases" in note for note in told)


def test_undefined_dice_comes_last():
    values = [0.9, float("nan"), 0.0, 0.5]
    assert sorted(values, key=worst_first)[:3] == [0.0, 0.5, 0.9]


def test_uncertainty_draws_each_case_once(prepared, run, tmp_path):
    paths = draw(prepared, run, tmp_path, split="val", uncertainty=True)
    assert len(paths) == 2
    assert {path.parent.name for path in paths} == {"uncertainty"}
    right = opened(paths[0])[30:90, 66:]
    assert (np.ptp(right.astype(int), axis=2) > 60).any()  # some doubt at the outline


@pytest.mark.parametrize("name", ["film.webp", "FILM.APNG", "film.gif"])
def test_one_film_by_its_suffix(prepared, run, tmp_path, name):
    path = tmp_path / "new" / name
    written = draw(prepared, run, path, films=("difference",), fps=4, split="val")
    assert written == (path,)
    with Image.open(path) as film:
        film.seek(1)
        film.load()
        assert (film.n_frames, film.info["duration"]) == (2, 250)


def test_a_film_beside_other_files(prepared, run, tmp_path):
    (tmp_path / "mine.txt").touch()
    draw(prepared, run, tmp_path / "a.gif", films=("all",))
    assert {path.name for path in tmp_path.iterdir()} == {"mine.txt", "a.gif"}


@pytest.mark.parametrize(
    ("out", "films", "message"),
    [
        pytest.param("film.avi", ("all",), r"film\.avi: .*\.webp.*folder", id="format"),
        pytest.param("film.mov", ("all",), r"no films in the format \.mov", id="mov"),
        pytest.param("film.mp4", ("all", "gold"), "is one film", id="two-films"),
    ],
)
def test_a_film_that_cannot_be(prepared, tmp_path, out, films, message):
    with pytest.raises(ConfigError, match=message):
        draw(prepared, "no run is looked for", tmp_path / out, films=films)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("other", ["overlays", "grid", "uncertainty"])
def test_a_film_is_nothing_but_a_film(prepared, tmp_path, other):
    with pytest.raises(ConfigError, match="is one film"):
        draw(prepared, None, tmp_path / "a.webp", films=("all",), **{other: True})


@pytest.mark.parametrize(
    ("name", "film"),
    [
        ("pictures", False),
        ("exp-0.5", False),
        ("v1.2024", False),
        ("there.gif", False),
        ("film.gif", True),
        ("film.MP4", True),
        ("film.avi", True),
    ],
)
def test_files_and_folders(tmp_path, name, film):
    (tmp_path / "there.gif").mkdir()
    assert names_a_film(tmp_path / name) == film
    assert not names_a_film(None)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sample(worst=2, random=2), "take one of them"),
        (lambda: PictureSettings(films=()), "nothing to draw"),
        (lambda: PictureSettings(films=("truth",)), "choose from all, predicted"),
        (lambda: PictureSettings(fps=math.nan), "fps is nan"),
        (lambda: PictureSettings(fps=math.inf), "fps is inf"),
    ],
)
def test_impossible_settings(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
