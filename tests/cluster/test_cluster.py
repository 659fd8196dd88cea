"""The same results on a Ray cluster as on one machine, whatever happens to workers.

Ray takes seconds to start: the tests share one, but for those of its start and end.
"""

import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

from lungcli.errors import ConfigError, LungcliError, OutputError
from lungcli.phantom import draw_phantom
from lungcli.workflows.predicting.predict import predict
from lungcli.workflows.predicting.settings import PredictSettings
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings
from lungcli.workflows.shared import ray_session
from lungcli.workflows.shared.cluster import map_on_cluster

FORMATS = ("png", "rle", "coco", "csv")
LUNGCLI = [sys.executable, "-m", "lungcli"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:::ray"),  # of Ray about its own code
]


def needs_ray():
    if find_spec("ray") is None:  # not imported: that is lungcli's part
        pytest.skip("Ray is not installed: lungcli[ray]")


@pytest.fixture(scope="module")
def two_workers():
    """Ray on this machine, with two workers."""
    needs_ray()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray_session, "num_cores", lambda: 2)
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))  # of the workers
        with ray_session.connected("local"):
            yield


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Forty small X-rays, one of them broken."""
    folder = tmp_path_factory.mktemp("films") / "in"
    (folder / "deep").mkdir(parents=True)
    for number in range(39):
        place = folder / "deep" if number % 3 else folder
        image = Image.fromarray(draw_phantom(number, 96).image)
        image.save(place / f"{number:02}.png")
    (folder / "broken.png").write_bytes(b"no image")
    return folder


def files(folder):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def results(folder):
    """Return all that a call of `predict` wrote, but for how long it took."""
    found = files(folder)
    rows = list(csv.reader(found.pop("predictions.csv").decode().splitlines()))
    column = rows[0].index("seconds")
    lines = [json.loads(line) for line in found.pop("predictions.jsonl").splitlines()]
    for line in lines[1:]:
        line["record"]["seconds"] = 0
    return found, [[*row[:column], *row[column + 1 :]] for row in rows], lines


def processes():
    """Return the parent and the name of each process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
            name = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        found[int(folder.name)] = (int(stat.rpartition(")")[2].split()[1]), name)
    return found


def workers(top):
    """Return Ray's workers that descend from a process."""
    every = processes()

    def descends(process):
        while process not in (0, top):
            process = every.get(process, (0, b""))[0]
        return process == top

    return [
        process
        for process, (_, name) in every.items()
        if b"ray::" in name and b"Worker" in name and descends(process)
    ]


def test_a_worker_killed_in_the_middle(two_workers, films, tmp_path, monkeypatch):
    monkeypatch.chdir(films.parent)  # relative names: the same in messages and tables
    alone = predict(
        ["in"], settings=PredictSettings(formats=FORMATS), out=tmp_path / "1"
    )
    told, killed = [], []

    def kill_one(entry):
        told.append(entry.stem)
        if len(told) == 10:
            killed.extend(workers(os.getpid()))
            os.kill(killed[0], signal.SIGKILL)

    settings = PredictSettings(formats=FORMATS, cluster="local")
    out = tmp_path / "2"
    spread = predict(["in"], settings=settings, out=out, on_entry=kill_one)
    assert len(killed) == 2
    assert len(told) == len(set(told)) == 40
    assert spread.counts == alone.counts
    assert (spread.total, spread.labelled) == (40, 39)
    assert results(out) == results(tmp_path / "1")
    settings = PredictSettings(formats=FORMATS, resume=True)
    assert predict(["in"], settings=settings, out=out).skipped == 39


def test_prepare_writes_the_same_bytes(two_workers, phantoms, tmp_path):
    for name, how in (("1", {"workers": 1}), ("2", {"cluster": "local"})):
        settings = PrepareSettings(out=tmp_path / name, size=64, **how)
        prepare([phantoms], settings=settings)
    assert files(tmp_path / "1") == files(tmp_path / "2")


def square():
    return lambda number: number**2


def test_nobody_else_may_enter_the_folder_of_ray(two_workers):
    import ray

    folder = Path(ray._private.worker._global_node.get_temp_dir_path())
    assert folder.is_dir()
    assert folder.parent.stat().st_mode & 0o077 == 0


def test_results_come_in_order_while_work_goes_on(two_workers):
    found = map_on_cluster("local", square, range(200))
    assert next(found) == 0
    found.close()
    assert list(map_on_cluster("local", square, range(200))) == [
        number**2 for number in range(200)
    ]
    assert list(map_on_cluster("local", square, [])) == []


def failing(kind, number):
    def work(task):
        if task == number:
            msg = f"task {task} failed. Try again."
            raise kind(msg)
        return task

    return work


@pytest.mark.parametrize("kind", [OutputError, ZeroDivisionError])
def test_the_error_of_a_worker_is_that_of_the_call(two_workers, kind):
    found = []
    with pytest.raises(kind, match=r"^task 5 failed\. Try again\.$"):
        found.extend(map_on_cluster("local", partial(failing, kind, 5), range(9)))


def never():
    msg = "there is no model. Train one."
    raise OutputError(msg)


def test_a_task_that_ends_its_worker_each_time_ends_the_call(two_workers):
    def make():
        return lambda task: os._exit(1) if task == 3 else task

    with pytest.raises(LungcliError, match="one file ends them each time"):
        list(map_on_cluster("local", make, range(8)))


def test_a_worker_that_cannot_begin(two_workers):
    with pytest.raises(OutputError, match="there is no model"):
        list(map_on_cluster("local", never, range(3)))


@pytest.mark.parametrize("address", ["local", "auto", "ray://head:10001", "head:6379"])
def test_addresses(address):
    assert ray_session.check_address(address) == address


@pytest.mark.parametrize("address", ["", "head", "ray://", "http://x", "head:", ":1"])
def test_what_is_no_address(address):
    with pytest.raises(ConfigError, match=r"take local, auto or ray://HOST:PORT"):
        ray_session.check_address(address)


def test_without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'lungcli\[ray\]'"):
        list(map_on_cluster("local", square, [1]))


@pytest.fixture
def short():
    """A folder with room for Ray's sockets."""
    with tempfile.TemporaryDirectory(prefix="c", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.long), signal.SIGTERM]
)
def test_a_stopped_call_ends_ray_and_goes_on(films, tmp_path, short, number):
    needs_ray()
    long = tmp_path / ("long" * 25)  # it has none
    long.mkdir()
    temporary = long if number == signal.SIGINT else short
    command = [*LUNGCLI, "predict", str(films), "--cluster", "local"]
    running = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = tmp_path / "masks" / "predictions.jsonl"
    while running.poll() is None:
        if journal.exists() and len(journal.read_bytes().splitlines()) > 3:
            break
        time.sleep(0.01)
    started = workers(running.pid)
    running.send_signal(number)
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 128 + number, stderr
    assert "--resume" in stderr
    said = ("note: ", "error: ", "predict ")
    assert all(line.startswith(said) for line in stderr.splitlines()), stderr
    assert started
    assert not set(started) & set(processes())
    settings = PredictSettings(resume=True)
    again = predict([films], settings=settings, out=tmp_path / "masks")
    assert again.skipped
    assert again.labelled == 39
    assert not list(temporary.glob("lungcli-*"))
