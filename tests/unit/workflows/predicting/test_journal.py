import json
import os
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.data.inputs import Input, find_inputs
from lungcli.errors import ConfigError, OutputError
from lungcli.workflows.predicting.journal import Journal
from lungcli.workflows.predicting.record import Entry, Record, Status

SETTINGS = {"model": "abc", "threshold": 0.5, "formats": ("png", "csv")}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out" / "predictions.jsonl"


@pytest.fixture
def item(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(b"x-ray")
    return Input(shown=str(file), name=PurePosixPath("a.png"), path=file)


def entry(stem="a", *, status=Status.OK, seconds=0.5, tables=None, **fields):
    shown = f"in/{stem}.png"
    record = Record(name=shown, seconds=seconds, tables=tables or {})
    return Entry(stem=stem, shown=shown, status=status, record=record, **fields)


def finish(journal, item, *, status=Status.OK):
    """Write an output and its entry."""
    output = journal.path.parent / "a.png"
    output.write_bytes(b"mask")
    outputs = {"a.png": 4}
    journal.append(entry(status=status, state=item.state(), outputs=outputs))
    return output


def stems(path):
    with Journal.resume(path, SETTINGS) as journal:
        return [each.stem for each in journal.entries("abcdef")]


def test_what_is_appended_comes_back(path):
    odd = os.fsdecode(b"caf\xe9\n")
    first = entry(
        odd, state={"size": 2}, outputs={"x": 1}, tables={"csv": {"dice": None}}
    )
    with Journal.start(path, SETTINGS) as journal:
        journal.append(first)
        journal.append(entry("b"))
        assert list(journal.entries([odd])) == [first]
    with Journal.resume(path, SETTINGS) as journal:
        assert list(journal.entries(["b", "nobody", odd])) == [entry("b"), first]


def test_every_line_is_on_disk_at_once(path):
    with Journal.start(path, SETTINGS) as journal:
        journal.append(entry(seconds=0.25))
        header, line = map(json.loads, path.read_text().splitlines())
    assert header["settings"] == json.loads(json.dumps(SETTINGS))
    assert line["record"] == {"name": "in/a.png", "seconds": 0.25}


def test_the_last_entry_of_a_stem_counts(path):
    with Journal.start(path, SETTINGS) as journal:
        journal.append(entry("a", status=Status.FAILED))
        journal.append(entry("b"))
        journal.append(entry("a"))
    with Journal.resume(path, SETTINGS) as journal:
        assert [each.status for each in journal.entries("a")] == [Status.OK]


def test_start_forgets(path):
    with Journal.start(path, SETTINGS) as journal:
        journal.append(entry())
    Journal.start(path, SETTINGS).close()
    assert stems(path) == []


def test_resume_without_a_journal_starts_one(path):
    with Journal.resume(path, SETTINGS) as journal:
        journal.append(entry())
    assert stems(path) == ["a"]


@given(st.integers(min_value=0, max_value=400))
def test_a_kill_at_any_byte_costs_one_entry_at_most(tmp_path_factory, lost):
    path = tmp_path_factory.mktemp("j") / "predictions.jsonl"
    with Journal.start(path, SETTINGS) as journal:
        ends = [path.stat().st_size]
        for stem in "abc":
            journal.append(entry(stem))
            ends.append(path.stat().st_size)
    size = max(ends[0], ends[-1] - lost)
    os.truncate(path, size)
    whole = "abc"[: sum(end <= size for end in ends[1:])]
    with Journal.resume(path, SETTINGS) as journal:
        assert [each.stem for each in journal.entries("abc")] == list(whole)
        journal.append(entry("d"))
        assert [each.stem for each in journal.entries("abcd")] == [*whole, "d"]
    assert stems(path) == [*whole, "d"]


@pytest.mark.parametrize(
    "line", ["\0\0\0", "[]", "{}", '{"stem": "b"}', '{"stem": "b", "x": 1}', "{"]
)
def test_a_line_that_is_no_entry_is_passed_over(path, line):
    with Journal.start(path, SETTINGS) as journal:
        journal.append(entry("a"))
    with path.open("a") as file:
        file.write(f"{line}\n")
    with Journal.resume(path, SETTINGS) as journal:
        journal.append(entry("c"))
    assert stems(path) == ["a", "c"]


class TestIsDone:
    def test_done(self, path, item):
        with Journal.start(path, SETTINGS) as journal:
            assert not journal.is_done("a", item)
            finish(journal, item)
            assert journal.is_done("a", item)
            assert not journal.is_done("a.png", item)

    def test_a_failure_is_tried_again(self, path, item):
        with Journal.start(path, SETTINGS) as journal:
            finish(journal, item, status=Status.FAILED)
            assert not journal.is_done("a", item)

    def test_a_refusal_is_final_without_outputs(self, path, item):
        with Journal.start(path, SETTINGS) as journal:
            journal.append(entry(status=Status.REFUSED, state=item.state()))
            assert journal.is_done("a", item)

    def test_a_changed_input(self, path, item):
        with Journal.start(path, SETTINGS) as journal:
            finish(journal, item)
            before = item.path.stat()
            os.utime(item.path, ns=(before.st_atime_ns, before.st_mtime_ns + 1000))
            assert not journal.is_done("a", item)

    def test_an_input_that_is_gone(self, path, item):
        with Journal.start(path, SETTINGS) as journal:
            item.path.unlink()
            finish(journal, item)
            assert not journal.is_done("a", item)

    @pytest.mark.parametrize("content", [b"mas", b"", None])
    def test_an_output_that_is_not_whole(self, path, item, content):
        with Journal.start(path, SETTINGS) as journal:
            output = finish(journal, item)
            output.unlink()
            if content is not None:
                output.write_bytes(content)
            assert not journal.is_done("a", item)

    def test_a_member_by_its_checksum(self, path, tmp_path):
        def packed(content):
            with ZipFile(tmp_path / "x.zip", "w") as archive:
                archive.writestr("a.png", content)
            given = [str(tmp_path / "x.zip")]
            (item,) = find_inputs(given, stdin=(), out=path.parent)
            return item

        with Journal.start(path, SETTINGS) as journal:
            finish(journal, packed(b"one"))
            assert journal.is_done("a", packed(b"one"))
            assert not journal.is_done("a", packed(b"two"))


class TestSettings:
    def test_all_that_differs_is_named(self, path):
        Journal.start(path, SETTINGS).close()
        other = {"model": "abc", "threshold": 0.6, "engine": "onnx"}
        message = (
            r"predictions\.jsonl holds results made in another way: engine was None "
            r"and is onnx; formats was \['png', 'csv'\] and is None; threshold was 0.5 "
            r"and is 0.6\. Repeat with"
        )
        with pytest.raises(ConfigError, match=message):
            Journal.resume(path, other)

    @pytest.mark.parametrize(
        "header", ["", "{", "{}\n", '{"format": 2, "settings": {}}\n', "\xff\n"]
    )
    def test_no_journal(self, path, header):
        path.parent.mkdir()
        path.write_text(header)
        with pytest.raises(ConfigError, match=r"not written by this version.*--resume"):
            Journal.resume(path, SETTINGS)


def test_an_unwritable_place(path):
    path.mkdir(parents=True)
    for begin in (Journal.start, Journal.resume):
        with pytest.raises(OutputError, match=r"predictions\.jsonl"):
            begin(path, SETTINGS)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(path):
    journal = Journal.start(path, SETTINGS)
    journal.close()
    journal._file = Path("/dev/full").open("wb")  # noqa: SIM115 - closed below
    with pytest.raises(OutputError, match=r"jsonl \(No space left"), journal:
        journal.append(entry())
    assert journal._file.closed


def test_nan_never_enters_the_journal(path):
    with (
        Journal.start(path, SETTINGS) as journal,
        pytest.raises(ValueError, match="JSON"),
    ):
        journal.append(entry(tables={"csv": {"dice": float("nan")}}))


def test_thousands_of_entries_take_no_memory(path):
    """The index holds numbers; the entries themselves stay on disk."""
    import tracemalloc

    names = [f"ward/{i:06}" for i in range(2_000)]
    with Journal.start(path, SETTINGS) as journal:
        for name in names:
            journal.append(entry(name, tables={"rle": {"notes": "x" * 500}}))
    with Journal.resume(path, SETTINGS) as journal:
        tracemalloc.start()
        count = sum(1 for _ in journal.entries(names))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == 2_000
    assert peak < 100_000 < Path(path).stat().st_size / 10


def test_a_file_that_is_no_journal_is_left_as_it_is(path):
    path.parent.mkdir()
    path.write_text("my notes\nwithout an end")
    with pytest.raises(ConfigError, match="not written by this version"):
        Journal.resume(path, SETTINGS)
    assert path.read_text() == "my notes\nwithout an end"


def test_a_link_is_not_followed(path, tmp_path):
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="is a link"):
        Journal.resume(path, SETTINGS)
