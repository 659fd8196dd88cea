from collections.abc import Iterator
from pathlib import Path

import pytest

from lungcli.data.case import Convention, Issue, Layout
from lungcli.data.sources import find_sources
from lungcli.data.sources.case_table import read_case_table
from lungcli.data.sources.find import _SOURCES
from lungcli.data.sources.listing import folders_below
from lungcli.data.sources.readings import parse_reading
from lungcli.errors import ConfigError, DatasetError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"listed, never opened")
    return root


def montgomery(root: Path) -> Path:
    names = ("MCUCXR_0001_0.png", "MCUCXR_0104_1.png")
    return touch(
        root,
        *(f"CXR_png/{name}" for name in names),
        *(f"ManualMask/leftMask/{name}" for name in names),
        *(f"ManualMask/rightMask/{name}" for name in names),
    )


def shenzhen(root: Path, masks: str = "mask") -> Path:
    touch(root, "CXR_png/CHNCXR_0001_0.png", "CXR_png/CHNCXR_0336_1.png")
    return touch(root, f"{masks}/CHNCXR_0001_0_mask.png") if masks else root


def jsrt(root: Path, suffix: str = "gif") -> Path:
    touch(root, "All247images/JPCLN001.IMG", "All247images/JPCNN002.IMG")
    for fold, stem in (("fold1", "JPCLN001"), ("fold2", "JPCNN002")):
        for organ in ("left lung", "right lung", "heart"):
            touch(root, f"scratch/{fold}/masks/{organ}/{stem}.{suffix}")
    return root


def folder(root: Path, images: str = "images", masks: str = "masks") -> Path:
    return touch(
        root,
        f"{images}/a.png",
        f"{images}/b.JPG",
        f"{masks}/a_mask.tif",
        f"{masks}/b.png",
    )


def one(path: Path, layout: str = "auto"):
    (found,) = find_sources(path, layout)
    return found


def issues(found) -> list[tuple[str, str]]:
    return [(finding.issue.value, finding.case_id) for finding in found.findings]


class TestMontgomery:
    def test_cases(self, tmp_path: Path) -> None:
        found = one(montgomery(tmp_path))
        assert (found.name, found.layout) == ("montgomery", "montgomery")
        assert found.convention is Convention.HEART_EXCLUDED
        assert found.findings == ()
        first, second = found.cases
        assert first.case_id == first.patient_id == "MCUCXR_0001_0"
        assert (first.finding, second.finding) == ("normal", "tuberculosis")
        assert first.masks.apart["right"][0].parent.name == "rightMask"
        assert first.masks.apart["left"][0].parent.name == "leftMask"

    def test_spacing_holds_at_the_published_sizes_only(self, tmp_path: Path) -> None:
        spacing = one(montgomery(tmp_path)).cases[0].spacing
        assert spacing.at((4020, 4892)) == (0.0875, 0.0875)
        assert spacing.at((4892, 4020)) == (0.0875, 0.0875)
        assert spacing.at((512, 512)) is None

    def test_readings(self, tmp_path: Path) -> None:
        montgomery(tmp_path)
        readings = tmp_path / "ClinicalReadings"
        readings.mkdir()
        (readings / "MCUCXR_0104_1.txt").write_bytes(
            b"Patient's Sex: F\r\nPatient's Age: 027Y\r\n"
            b"infiltrate 3\xb0 (same pt as MCUCXR_0001_0)\r\n"
        )
        first, second = one(tmp_path).cases
        assert (first.sex, first.age, first.finding) == ("", "", "normal")
        assert (second.sex, second.age) == ("F", "27")
        assert second.finding.startswith("infiltrate 3°")
        assert second.patient_id == first.patient_id

    def test_missing_masks_and_images_are_reported(self, tmp_path: Path) -> None:
        montgomery(tmp_path)
        (tmp_path / "ManualMask/leftMask/MCUCXR_0001_0.png").unlink()
        touch(tmp_path, "CXR_png/MCUCXR_0002_0.png", "CXR_png/._MCUCXR_0002_0.png")
        touch(tmp_path, "ManualMask/rightMask/MCUCXR_0003_0.png")
        found = one(tmp_path)
        assert [case.case_id[-6:] for case in found.cases] == [
            "0001_0",
            "0002_0",
            "0104_1",
        ]
        assert "left" not in found.cases[0].masks.apart
        assert found.cases[1].masks is None
        assert issues(found) == [
            (Issue.NO_MASK, "MCUCXR_0002_0"),
            (Issue.NO_MASK, "MCUCXR_0001_0"),
            (Issue.NO_IMAGE, "MCUCXR_0003_0"),
        ]
        assert found.findings[1].detail == "no mask of the left lung"

    def test_no_images(self, tmp_path: Path) -> None:
        touch(tmp_path, "CXR_png/readme.txt", "ManualMask/leftMask/a.png")
        with pytest.raises(DatasetError, match=r"no images in .*CXR_png\. Expected"):
            find_sources(tmp_path)

    def test_any_case_of_the_folders(self, tmp_path: Path) -> None:
        montgomery(tmp_path)
        (tmp_path / "CXR_png").rename(tmp_path / "cxr_png")
        (tmp_path / "ManualMask").rename(tmp_path / "manualMASK")
        found = one(tmp_path)
        assert (found.name, found.findings) == ("montgomery", ())


class TestShenzhen:
    @pytest.mark.parametrize("masks", ["mask", "mask/mask", "../mask", "../mask/mask"])
    def test_masks_in_or_beside(self, tmp_path: Path, masks: str) -> None:
        root = shenzhen(tmp_path / "ChinaSet_AllFiles", masks)
        found = one(root)
        assert found.name == "shenzhen"
        masked, bare = found.cases
        assert masked.masks.combined[0].name == "CHNCXR_0001_0_mask.png"
        assert bare.masks is None
        assert issues(found) == [(Issue.NO_MASK, "CHNCXR_0336_1")]
        assert masked.spacing is None

    @pytest.mark.parametrize("root", [".", "../ChinaSet_AllFiles", "CXR_png/.."])
    def test_masks_beside_the_present_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
    ) -> None:
        monkeypatch.chdir(shenzhen(tmp_path / "ChinaSet_AllFiles", "../mask"))
        assert one(Path(root)).cases[0].masks is not None

    def test_without_any_mask(self, tmp_path: Path) -> None:
        found = one(shenzhen(tmp_path, masks=""))
        assert [case.masks for case in found.cases] == [None, None]

    def test_readings(self, tmp_path: Path) -> None:
        shenzhen(tmp_path)
        path = tmp_path / "ClinicalReadings/CHNCXR_0336_1.txt"
        path.parent.mkdir()
        path.write_text("female , 24yrs \t\nPTB in the left upper field")
        case = one(tmp_path).cases[1]
        assert (case.sex, case.age) == ("F", "24")
        assert case.finding == "PTB in the left upper field"


def test_merged_copy_holds_both_sets(tmp_path: Path) -> None:
    root = touch(
        tmp_path / "Lung Segmentation",
        "CXR_png/MCUCXR_0001_0.png",
        "CXR_png/CHNCXR_0001_0.png",
        "CXR_png/CHNCXR_0336_1.png",
        "masks/MCUCXR_0001_0.png",
        "masks/CHNCXR_0001_0_mask.png",
        "masks/CHNCXR_0002_0_mask.png",
        "test/CHNCXR_0336_1.png",
        "test/CHNCXR_0341_1.png",
    )
    for path, layout in ((root, "shenzhen"), (tmp_path, "auto")):
        mcu, chn = find_sources(path, layout)
        assert (mcu.name, chn.name) == ("montgomery", "shenzhen")
        assert [case.masks.combined[0].name for case in mcu.cases] == [
            "MCUCXR_0001_0.png"
        ]
        assert mcu.cases[0].spacing is not None
        assert [case.image_path.parent.name for case in chn.cases] == [
            "CXR_png",
            "CXR_png",
            "test",
        ]
        assert issues(chn) == [
            (Issue.NO_MASK, "CHNCXR_0336_1"),
            (Issue.NO_MASK, "CHNCXR_0341_1"),
            (Issue.NO_IMAGE, "CHNCXR_0002_0"),
        ]


class TestJsrt:
    @pytest.mark.parametrize("suffix", ["gif", "tif", "png"])
    def test_cases(self, tmp_path: Path, suffix: str) -> None:
        found = one(jsrt(tmp_path, suffix))
        assert (found.name, found.convention) == ("jsrt", "heart-excluded")
        assert found.findings == ()
        first, second = found.cases
        assert (first.finding, second.finding) == ("nodule", "non-nodule")
        assert first.masks.apart["right"][0].parent.name == "right lung"
        assert second.masks.apart["left"][0].parent.name == "left lung"
        assert first.masks.scale == 2
        assert first.spacing.at((2048, 2048)) == (0.175, 0.175)
        assert first.spacing.at((1024, 1024)) is None

    def test_masks_two_levels_below(self, tmp_path: Path) -> None:
        jsrt(tmp_path)
        (tmp_path / "SCR").mkdir()
        (tmp_path / "scratch").rename(tmp_path / "SCR/scratch")
        assert all(case.masks for case in one(tmp_path).cases)

    def test_missing_masks(self, tmp_path: Path) -> None:
        jsrt(tmp_path)
        (tmp_path / "scratch/fold1/masks/left lung/JPCLN001.gif").unlink()
        touch(tmp_path, "All247images/JPCLN003.IMG")
        found = one(tmp_path)
        assert issues(found) == [
            (Issue.NO_MASK, "JPCLN003"),
            (Issue.NO_MASK, "JPCLN001"),
        ]

    def test_a_link_to_the_source_itself(self, tmp_path: Path) -> None:
        (jsrt(tmp_path / "JSRT") / "loop").symlink_to(".")
        assert one(tmp_path).findings == ()

    def test_disk_images_are_no_xrays(self, tmp_path: Path) -> None:
        touch(tmp_path, "backup/disk.img")
        with pytest.raises(DatasetError, match="no known layout"):
            find_sources(tmp_path)


class TestFolder:
    @pytest.mark.parametrize(
        ("images", "masks"), [("images", "masks"), ("Images", "MASKS")]
    )
    def test_cases(self, tmp_path: Path, images: str, masks: str) -> None:
        found = one(folder(tmp_path / "My Set", images, masks))
        assert (found.name, found.layout) == ("my set", "folder")
        assert found.convention is Convention.UNKNOWN
        assert [case.masks.combined[0].name for case in found.cases] == [
            "a_mask.tif",
            "b.png",
        ]

    def test_name_of_the_present_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder(tmp_path / "Here"))
        assert one(Path()).name == "here"

    def test_missing_on_either_side(self, tmp_path: Path) -> None:
        touch(folder(tmp_path), "images/c.png", "masks/d.png")
        assert issues(one(tmp_path)) == [(Issue.NO_MASK, "c"), (Issue.NO_IMAGE, "d")]

    def test_an_image_may_be_called_mask(self, tmp_path: Path) -> None:
        touch(tmp_path, "images/face_mask.png", "masks/face_mask.png")
        assert one(tmp_path).cases[0].masks is not None

    @pytest.mark.parametrize(
        ("name", "left_out"),
        [("images/a.jpg", "a.png"), ("masks/a.png", "a_mask.tif")],
    )
    def test_two_files_of_one_stem(
        self, tmp_path: Path, name: str, left_out: str
    ) -> None:
        found = one(touch(folder(tmp_path), name))
        assert len(found.cases) == 2
        (finding,) = found.findings
        assert (finding.issue, finding.case_id) == (Issue.AMBIGUOUS, "a")
        assert finding.path.name == left_out
        assert finding.detail == f"{left_out} and {Path(name).name} both stand for a"

    def test_accents_composed_and_not_are_the_same(self, tmp_path: Path) -> None:
        touch(tmp_path, "images/cafe\u0301.png", "masks/caf\u00e9.png")
        (tmp_path / "cases.csv").write_text("case_id,sex\ncafe\u0301,F\n")
        found = one(tmp_path)
        (case,) = found.cases
        assert (case.case_id, case.sex) == ("caf\u00e9", "F")
        assert case.masks is not None
        assert found.findings == ()

    def test_case_table_may_name_whole_files(self, tmp_path: Path) -> None:
        folder(tmp_path)
        (tmp_path / "cases.csv").write_text("case_id,sex\na.png,F\nb,M\n")
        found = one(tmp_path)
        assert [case.sex for case in found.cases] == ["F", "M"]
        assert found.findings == ()

    def test_case_table(self, tmp_path: Path) -> None:
        folder(tmp_path)
        text = "\ufeffCase_ID;Patient_ID;age;View\r\na;p7;45; AP \r\nz;p8;;\r\n\r\n"
        (tmp_path / "cases.csv").write_bytes(text.encode())
        found = one(tmp_path)
        first, second = found.cases
        assert (first.patient_id, first.age, first.view) == ("p7", "45", "AP")
        assert second.patient_id == "b"
        assert issues(found) == [(Issue.NOT_FOUND, "z")]

    def test_prepared_data_is_no_source(self, tmp_path: Path) -> None:
        facts = folder(tmp_path / "prepared") / "dataset.json"
        facts.write_text('{"format_version": 1, "fingerprint": ""}')
        with pytest.raises(DatasetError, match="is a prepared data set already"):
            find_sources(tmp_path / "prepared")
        folder(tmp_path / "mine")
        assert one(tmp_path).name == "mine"

    def test_a_foreign_dataset_json_does_not_matter(self, tmp_path: Path) -> None:
        (folder(tmp_path / "mine") / "dataset.json").write_text('{"labels": {}}')
        assert one(tmp_path / "mine").name == "mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "name,age\na,4\n",
            "line 1: the column case_id is needed, there are: name, age",
        ),
        ("case_id,age\na,4\na,5\n", r"line 3: 'a' is listed twice"),
        ("case_id,age\n,4\n", "line 2: the case_id is empty"),
    ],
)
def test_bad_case_table(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(text)
    with pytest.raises(DatasetError, match=rf"cases\.csv, {message}"):
        read_case_table(path, {"a"})


@pytest.mark.parametrize(
    ("text", "sex", "age", "finding"),
    [
        ("Patient's Sex: F \nPatient's Age: 027Y\nnormal", "F", "27", "normal"),
        ("Patient's Sex: O\nPatient's Age: 005Y\n", "O", "5", ""),
        ("male 45yrs\nnormal", "M", "45", "normal"),
        ("femal 32yrs\nnormal", "F", "32", "normal"),
        ("female24yrs\n\nleft  PTB\nSTB", "F", "24", "left PTB STB"),
        ("Male , 29yrs \t\r\nPTB", "M", "29", "PTB"),
        ("male 42\nnormal", "M", "42", "normal"),
        ("male 18month\nnormal", "M", "1.5", "normal"),
        ("female 73days\nnormal", "F", "0.2", "normal"),
        ("female 26 weeks", "F", "0.5", ""),
        ("malignant nodule", "", "", "malignant nodule"),
        ("", "", "", ""),
    ],
)
def test_reading_forms(text: str, sex: str, age: str, finding: str) -> None:
    reading = parse_reading(text)
    assert (reading.sex, reading.age, reading.finding) == (sex, age, finding)


class TestFindSources:
    def test_parent_of_several(self, tmp_path: Path) -> None:
        montgomery(tmp_path / "NLM-MontgomeryCXRSet/MontgomerySet")
        shenzhen(tmp_path / "ChinaSet_AllFiles")
        jsrt(tmp_path / "JSRT")
        folder(tmp_path / "mine")
        names = [found.name for found in find_sources(tmp_path)]
        assert names == ["shenzhen", "jsrt", "montgomery", "mine"]

    def test_sources_unpacked_side_by_side(self, tmp_path: Path) -> None:
        montgomery(tmp_path / "MontgomerySet")
        jsrt(tmp_path)
        assert {found.name for found in find_sources(tmp_path)} == {
            "jsrt",
            "montgomery",
        }

    def test_a_named_layout_leaves_the_others(self, tmp_path: Path) -> None:
        montgomery(tmp_path / "MontgomerySet")
        folder(tmp_path / "mine")
        assert one(tmp_path, "montgomery").name == "montgomery"

    def test_a_link_counts_once(self, tmp_path: Path) -> None:
        target = montgomery(tmp_path / "MontgomerySet")
        (tmp_path / "again").symlink_to(target)
        assert one(tmp_path).name == "montgomery"

    def test_two_of_one_name(self, tmp_path: Path) -> None:
        montgomery(tmp_path / "a")
        montgomery(tmp_path / "b")
        names = [found.name for found in find_sources(tmp_path)]
        assert names == ["montgomery"] * 2

    def test_the_shallowest_of_several_ways(self, tmp_path: Path) -> None:
        touch(tmp_path, "a/x/y/file")
        (tmp_path / "a" / "b").symlink_to("..")
        (tmp_path / "z").symlink_to("a/x")
        found = [str(path.relative_to(tmp_path)) for path in folders_below(tmp_path, 2)]
        assert found == ["a", "z", "z/y"]

    def test_nothing_known(self, tmp_path: Path) -> None:
        touch(tmp_path, *(f"{i}.txt" for i in range(8)), "scans/a.png")
        message = (
            r"no known layout in .* Nearest: beside \(x\.jpg with .*\), without masks "
            r"beside them, .* in .*scans; folder \(images/ and masks/ .*\), without "
            r"images/ and masks/\. "
            r"Seen there: 0\.txt, .*5\.txt, … \(9 in all\)"
        )
        with pytest.raises(DatasetError, match=message):
            find_sources(tmp_path)

    @pytest.mark.parametrize("name", ["CXR_png", "ManualMask"])
    def test_one_folder_too_deep(self, tmp_path: Path, name: str) -> None:
        montgomery(tmp_path / "MontgomerySet")
        with pytest.raises(
            DatasetError, match=r"part of the montgomery source .*Set, give that"
        ):
            find_sources(tmp_path / "MontgomerySet" / name)

    @pytest.mark.parametrize("layout", ["auto", "folder"])
    def test_images_without_folder_of_masks(self, tmp_path: Path, layout: str) -> None:
        touch(tmp_path, "images/a.png")
        with pytest.raises(DatasetError, match="masks/ is missing; it may be empty"):
            find_sources(tmp_path, layout)

    def test_layout_not_found(self, tmp_path: Path) -> None:
        folder(tmp_path)
        with pytest.raises(
            DatasetError, match=r"Nearest: jsrt \(All247images.*without a"
        ) as e:
            find_sources(tmp_path, "jsrt")
        assert "montgomery" not in str(e.value)

    def test_unknown_layout(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="'nih' is unknown; there are auto, mont"):
            find_sources(tmp_path, "nih")
        assert tuple(Layout) == (
            Layout.AUTO,
            *dict.fromkeys(s.layout for s in _SOURCES),
        )

    def test_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match=r"there is no folder .*nowhere\. Check"):
            find_sources(tmp_path / "nowhere")

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("x" * 300, "cannot read .*: File name too long"),
            ("data.zip/set", "there is no folder"),
        ],
    )
    def test_impossible_paths(self, tmp_path: Path, name: str, message: str) -> None:
        touch(tmp_path, "data.zip")
        with pytest.raises(DatasetError, match=message):
            find_sources(tmp_path / name)

    def test_forbidden_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: Path, **_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "stat", refuse)
        with pytest.raises(DatasetError, match=r"cannot read .*: Permission denied"):
            find_sources(tmp_path)

    def test_file(self, tmp_path: Path) -> None:
        touch(tmp_path, "data.zip")
        with pytest.raises(DatasetError, match=r"data\.zip is a file\. Give"):
            find_sources(tmp_path / "data.zip")

    @pytest.mark.parametrize("name", ["", "images"])
    def test_unreadable_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        closed, list_names = folder(tmp_path) / name, Path.iterdir

        def refuse(path: Path) -> Iterator[Path]:
            if path == closed:
                raise PermissionError(13, "Permission denied")
            return list_names(path)

        monkeypatch.setattr(Path, "iterdir", refuse)
        with pytest.raises(DatasetError, match=r"cannot read .*: Permission denied"):
            find_sources(tmp_path)

    def test_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match=r"is empty\. Give the folder"):
            find_sources(tmp_path)


def apart(root: Path, *folders: str, images: str = "images") -> Path:
    touch(root, f"{images}/a.png", f"{images}/b.jpg")
    return touch(root, *(f"{each}/{stem}.png" for each in folders for stem in "ab"))


class TestStructures:
    @pytest.mark.parametrize(
        ("folders", "images"),
        [
            (("masks/right_lung", "masks/left_lung", "masks/heart"), "images"),
            (("mask/right lung", "mask/left lung", "mask/heart"), "png"),
            (("Masks/RightLung", "Masks/LEFT-LUNG", "Masks/Heart_mask"), "Images"),
            (("right_lung", "left_lung", "heart"), "png"),
        ],
    )
    def test_cases(self, tmp_path: Path, folders: tuple[str, ...], images: str) -> None:
        found = one(apart(tmp_path / "Ward", *folders, images=images))
        assert (found.name, found.layout, found.findings) == ("ward", "structures", ())
        assert found.convention is Convention.HEART_EXCLUDED
        assert [case.case_id for case in found.cases] == ["a", "b"]
        for case in found.cases:
            parents = {key: path.parent for key, (path,) in case.masks.apart.items()}
            assert parents == {
                key: found.root / name
                for key, name in zip(("right", "left", "heart"), folders, strict=True)
            }

    def test_lungs_alone_may_count_the_heart(self, tmp_path: Path) -> None:
        found = one(apart(tmp_path, "masks/right_lung", "masks/left_lung"))
        assert found.convention is Convention.UNKNOWN

    def test_both_lungs_in_one_mask(self, tmp_path: Path) -> None:
        found = one(apart(tmp_path, "lung masks", "masks/heart"))
        assert found.layout == "structures"
        assert len(found.cases[0].masks.combined) == 1
        assert set(found.cases[0].masks.apart) == {"heart"}

    def test_what_lungcli_does_not_draw_is_noted_once(self, tmp_path: Path) -> None:
        bones = ("masks/left_clavicle", "masks/right_clavicle")
        found = one(apart(tmp_path, "masks/left_lung", "masks/right_lung", *bones))
        assert found.findings == ()
        (note,) = found.notes
        assert note.startswith("left_clavicle, right_clavicle: masks left alone")

    def test_a_folder_without_lungs_is_another_layout(self, tmp_path: Path) -> None:
        folder(tmp_path)
        touch(tmp_path, "masks/heart/a.png")
        assert one(tmp_path).layout == "folder"

    def test_missing_lung_and_image(self, tmp_path: Path) -> None:
        root = apart(tmp_path, "masks/right_lung", "masks/left_lung")
        (root / "masks/left_lung/b.png").unlink()
        touch(root, "masks/right_lung/c.png", "cases.csv")
        (root / "cases.csv").write_text("case_id,sex\na,F\n")
        found = one(root)
        assert issues(found) == [(Issue.NO_MASK, "b"), (Issue.NO_IMAGE, "c")]
        assert found.findings[0].detail == "no mask of the left lung"
        assert found.cases[0].sex == "F"


class TestBeside:
    @pytest.mark.parametrize("end", ["@", "_mask", "-mask", "-seg", "_seg", "_lung"])
    def test_cases(self, tmp_path: Path, end: str) -> None:
        root = touch(tmp_path / "Ward", "x.jpg", f"x{end}.png", "y.png", f"y{end}.gif")
        found = one(touch(root, "z.png", "readme.txt"))
        assert (found.name, found.layout) == ("ward", "beside")
        assert [case.case_id for case in found.cases] == ["x", "y", "z"]
        assert found.cases[1].masks.combined == (root / f"y{end}.gif",)
        assert issues(found) == [(Issue.NO_MASK, "z")]

    def test_a_file_for_each_structure(self, tmp_path: Path) -> None:
        names = ("x_right_lung.png", "x-left-lung.png", "x_Heart.png")
        found = one(touch(tmp_path, "x.png", *names))
        (case,) = found.cases
        files = {key: path.name for key, (path,) in case.masks.apart.items()}
        assert files == dict(zip(("right", "left", "heart"), names, strict=True))

    def test_two_masks_of_one_image(self, tmp_path: Path) -> None:
        found = one(touch(tmp_path, "x.png", "x_mask.png", "x_seg.png"))
        assert issues(found) == [(Issue.AMBIGUOUS, "x")]

    def test_the_folders_of_a_source_are_none(self, tmp_path: Path) -> None:
        touch(folder(tmp_path), "masks/a.png", "images/b@.png")
        assert one(tmp_path).layout == "folder"


class TestPattern:
    def test_masks_of_both_lungs(self, tmp_path: Path) -> None:
        touch(tmp_path / "Ward", "scans/2024/a.png", "scans/b.tif", "out/a-m.gif")
        (found,) = find_sources(tmp_path / "Ward", mask_pattern="*/{stem}-m.gif")
        assert (found.name, found.layout) == ("ward", "mask-pattern")
        assert [case.case_id for case in found.cases] == ["a", "b"]
        assert found.cases[0].masks.combined[0].name == "a-m.gif"
        assert issues(found) == [(Issue.NO_MASK, "b")]

    def test_masks_of_each_structure(self, tmp_path: Path) -> None:
        names = ("lung left", "lung right", "heart", "aorta")
        touch(tmp_path, "a.png", *(f"m/{name}/a.png" for name in names))
        (found,) = find_sources(tmp_path, mask_pattern="m/{structure}/{stem}.png")
        assert set(found.cases[0].masks.apart) == {"left", "right", "heart"}
        assert found.notes[0].startswith("aorta: masks left alone")

    def test_a_pattern_that_fits_nothing(self, tmp_path: Path) -> None:
        touch(tmp_path, "x/a.png", "x/a_m.png")
        with pytest.raises(DatasetError, match=r"fits none of the 2 images .*x/a\.png"):
            find_sources(tmp_path, mask_pattern="{stem}_m.png")

    @pytest.mark.parametrize("pattern", ["masks/*.png", "{stem}/{stem}.png"])
    def test_no_pattern(self, tmp_path: Path, pattern: str) -> None:
        touch(tmp_path, "a.png")
        with pytest.raises(ConfigError, match=r"must hold \{stem\}, the name"):
            find_sources(tmp_path, mask_pattern=pattern)


class TestNearest:
    def test_two_and_what_they_lack(self, tmp_path: Path) -> None:
        touch(tmp_path, "CXR_png/a.png", "readme.txt")
        with pytest.raises(DatasetError) as error:
            find_sources(tmp_path)
        told = str(error.value)
        assert "Nearest: montgomery (" in told
        assert "without ManualMask/;" in told
        assert told.count("without") == 2
