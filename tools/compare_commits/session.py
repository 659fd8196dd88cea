"""What is run with both commits: the steps of a session, and their commands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import inputs

# What `$SMALL` and others stand for in the commands.
SHORT: Final = {
    "SMALL": "--size 64 --filters 8 --depth 2 --batch-size 4",
    "FORMATS": "png,nifti,dicom-seg,rle,coco,npz,overlay,csv",
    "REAL": "--splits gaal2020 --convention heart-excluded --size 128 --workers 1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A few commands in a folder of their own.

    Attributes:
        name: Of the step and its folder.
        script: A command a line, much as a shell takes them: the first word is
            `lungcli` or one of `programs/`, `< FILE` at the end is stdin, `$web` and
            `$s3` are the servers.
        takes: What is copied into the folder before, as `step/path`.
        sets: Real data sets that are linked there; without them it is passed over.
        make: Makes further inputs in the folder.
        server: `web` or `s3`, if it needs one.
        slow: Only run when asked for.
        env: More of the environment.
    """

    name: str
    script: str = ""
    takes: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    make: Callable[[Path], None] | None = None
    server: str = ""
    slow: bool = False
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def commands(self) -> list[str]:
        """The lines of the script."""
        lines = (" ".join(line.split()) for line in self.script.splitlines())
        return [line for line in lines if line]

    @property
    def needs(self) -> set[str]:
        """The steps that must have been run before."""
        return {path.partition("/")[0] for path in self.takes}


STEPS: Final = (
    Step(
        name="help",
        script="""
            lungcli
            lungcli --help
            lungcli --version
            lungcli prepare --help
            lungcli augment-preview --help
            lungcli train --help
            lungcli evaluate --help
            lungcli stress --help
            lungcli visualize --help
            lungcli predict --help
            lungcli export --help
            lungcli merge --help
            lungcli demo --help
            lungcli info --help
        """,
    ),
    Step(
        name="usage",
        script="""
            lungcli none
            lungcli --none
            lungcli prepare --none
            lungcli augment-preview --none
            lungcli train --none
            lungcli evaluate --none
            lungcli stress --none
            lungcli visualize --none
            lungcli predict --none
            lungcli export --none
            lungcli merge --none
            lungcli demo --none
            lungcli info --none
            lungcli prepare
            lungcli prepare missing
            lungcli prepare missing --size 8
            lungcli prepare missing --layout other
            lungcli prepare missing --cluster nowhere
            lungcli augment-preview
            lungcli augment-preview --draws 0
            lungcli train
            lungcli train --resume
            lungcli train --resume --size 64
            lungcli train --epochs none
            lungcli train --epochs 0
            lungcli train --config missing.toml
            lungcli train --folds 2 --init bundled
            lungcli train --arch none
            lungcli train --precision float8
            lungcli train --devices none
            lungcli evaluate
            lungcli evaluate --data missing --model bundled
            lungcli evaluate --split none
            lungcli evaluate --tolerance 2miles
            lungcli evaluate --failure 2
            lungcli evaluate --reference missing
            lungcli evaluate --images missing
            lungcli evaluate --predicted missing
            lungcli evaluate --predicted missing --model bundled
            lungcli stress
            lungcli stress --only none
            lungcli visualize
            lungcli visualize --panels none
            lungcli visualize --side 3
            lungcli visualize --out film.none
            lungcli predict
            lungcli predict missing.png
            lungcli predict missing/*.png --model none
            lungcli predict missing.png --format none
            lungcli predict missing.png --shard 3/2
            lungcli predict missing.png --on-doubt none
            lungcli predict missing.png --engine none
            lungcli predict no-scheme://missing.png
            lungcli merge
            lungcli merge missing
            lungcli export
            lungcli export --to none
            lungcli export --to onnx --model missing
            lungcli export --to saved-model --precision int8
            lungcli export --to onnx --out wrong.tflite
        """,
    ),
    Step(
        name="info",
        script="""
            lungcli info
            lungcli info --json
        """,
    ),
    Step(
        name="info-broken",
        env={"KERAS_BACKEND": "none"},
        script="lungcli info",
    ),
    Step(
        name="api",
        script="api",
    ),
    Step(
        name="phantoms",
        script="draw",
    ),
    Step(
        name="inputs",
        takes=("phantoms/phantoms",),
        make=inputs.make_inputs,
    ),
    Step(
        name="prepare",
        takes=("phantoms/phantoms", "phantoms/other"),
        make=inputs.make_sources,
        script="""
            lungcli prepare phantoms --size 96 --workers 1 --val 0.17 --test 0.17
            lungcli prepare phantoms
            lungcli prepare clinic --out clinic-prepared --size 64 --workers 1 --json \
              --convention heart-excluded
            lungcli prepare phantoms other --out two --size 64 --workers 2 --seed 3
            lungcli prepare phantoms --out listed --splits splits.csv --workers 1
            lungcli prepare phantoms --out listed --force --workers 1 --size 64
            lungcli prepare faulty --out audited --workers 1 --strict \
              --convention heart-included
            lungcli prepare faulty --out again --workers 1 --json --layout folder
            lungcli prepare phantoms faulty --out mixed --workers 1 --size 32 \
              --convention heart-excluded
            lungcli prepare empty --out none
            lungcli prepare unknown --out none
            lungcli prepare phantoms --layout jsrt --out none
            lungcli prepare phantoms --splits wrong.csv --out none
            lungcli prepare phantoms --splits missing.csv --out none
            lungcli prepare phantoms --out phantoms --force
            lungcli prepare phantoms --out none --cluster ray://127.0.0.1:1
        """,
    ),
    Step(
        name="augment-preview",
        takes=("prepare/prepared",),
        script="""
            lungcli augment-preview
            lungcli augment-preview --draws 3 --strength 1 --seed 5 --gif --json \
              --case PHANTOM_0001_0 --case PHANTOM_0002_0 --out few
            lungcli augment-preview --case nobody
        """,
    ),
    Step(
        name="train",
        takes=("prepare/prepared",),
        script="""
            lungcli train --epochs 20 --learning-rate 0.01 --run runs/first $SMALL
            lungcli train --epochs 2 --run runs/first $SMALL
        """,
    ),
    Step(
        name="train-longer",
        takes=("train/runs", "prepare/prepared"),
        script="""
            lungcli train --resume
            lungcli train --resume --epochs 22 --json
        """,
    ),
    Step(
        name="train-stopped",
        takes=("prepare/prepared",),
        script="""
            stopped train --epochs 3 --run runs/stopped $SMALL
        """,
    ),
    Step(
        name="train-resumed",
        takes=("train-stopped/runs", "prepare/prepared"),
        script="""
            lungcli train --resume
        """,
    ),
    Step(
        name="train-unet",
        takes=("prepare/prepared",),
        script="""
            lungcli train --arch unet --epochs 2 $SMALL --schedule plateau \
              --patience 1 --keep last --precision float32 --seed 7 --strength 1 \
              --normalization none --learning-rate 0.01 --weight-decay 0.001 --json
        """,
    ),
    Step(
        name="train-settings",
        takes=("prepare/prepared",),
        make=inputs.make_settings,
        script="""
            lungcli train --config settings.toml --final --run runs/final
            lungcli train --config wrong.toml
            lungcli train --init runs/none
            lungcli train --final --patience 2 $SMALL
        """,
    ),
    Step(
        name="train-init",
        takes=("train/runs", "prepare/two", "prepare/clinic-prepared"),
        script="""
            lungcli train --init runs/first --data two --epochs 1 --run runs/init \
              --batch-size 4 --tensorboard
            lungcli train --init runs/first --data two --filters 16
            lungcli train --data two --data clinic-prepared --epochs 1 $SMALL \
              --run runs/both
        """,
    ),
    Step(
        name="train-init-bundled",
        slow=True,
        takes=("prepare/clinic-prepared",),
        script="""
            lungcli train --init bundled-tiny --data clinic-prepared --epochs 1 \
              --size 64 --head smooth --batch-size 4 --run runs/tiny
        """,
    ),
    Step(
        name="train-folds",
        takes=("prepare/prepared",),
        script="""
            lungcli train --folds 2 --epochs 1 --run runs/folds $SMALL
            lungcli train --resume --run runs/folds --json
        """,
    ),
    Step(
        name="train-folds-stopped",
        slow=True,
        takes=("prepare/prepared",),
        script="""
            stopped train --folds 2 --epochs 2 --run runs/folds $SMALL
            lungcli train --resume --run runs/folds
        """,
    ),
    Step(
        name="evaluate",
        takes=("train/runs", "prepare/prepared", "prepare/clinic-prepared"),
        script="""
            lungcli evaluate
            lungcli evaluate --model bundled --json
            lungcli evaluate --model bundled-tiny --split all --out tiny \
              --tolerance 2px --failure 0.97 --seed 4 --no-report
            lungcli evaluate --split val --figures png --figures svg \
              --figures pdf --tolerance 1%
            lungcli evaluate --tolerance 1mm --model bundled --out millimetres
            lungcli evaluate --data prepared --data clinic-prepared --split all \
              --model first --out both
            lungcli evaluate --data prepared --data prepared
            lungcli evaluate --split all --data missing
        """,
    ),
    Step(
        name="evaluate-models",
        takes=(
            "train/runs",
            "train-folds/runs",
            "prepare/prepared",
            "prepare/clinic-prepared",
        ),
        script="""
            lungcli evaluate --model bundled --model runs/first
            lungcli evaluate --model bundled --model bundled-tiny --model first \
              --data prepared --data clinic-prepared --split all --figures svg \
              --out matrix --json
            lungcli evaluate --model runs/folds/fold-1 --model runs/folds/fold-2 \
              --split val --no-report --out folds
            lungcli evaluate --model runs/folds
        """,
    ),
    Step(
        name="evaluate-masks",
        takes=("prepare/prepared", "phantoms/phantoms"),
        make=inputs.make_masks,
        script="""
            lungcli evaluate --predicted theirs
            lungcli evaluate --predicted theirs --split all --json --out theirs-all
            lungcli evaluate --predicted faulty --split all --out faulty-all
            lungcli evaluate --predicted theirs --reference mine --images xrays \
              --out readers
            lungcli evaluate --predicted theirs --reference mine --out no-images \
              --figures png --json
            lungcli evaluate --predicted theirs --out theirs
            lungcli evaluate --predicted phantoms/CXR_png --split all --out wrong
        """,
    ),
    Step(
        name="visualize",
        takes=("train/runs", "prepare/prepared", "prepare/two", "prepare/audited"),
        script="""
            lungcli visualize
            lungcli visualize --gif --png --grid --uncertainty --model bundled \
              --split all --worst 3 --side 128 --fps 2 --out worst
            lungcli visualize --png --random 2 --seed 3 --split all --out random
            lungcli visualize --grid --case PHANTOM_0001_0 --split all --out one \
              --json
            lungcli visualize --panels predicted --panels gold --out panels \
              --model bundled-tiny
            lungcli visualize --out film.gif --side 96
            lungcli visualize --out film.webp --panels difference
            lungcli visualize --out film.apng --model bundled --split val
            lungcli visualize --out film.png --data two --model bundled --split all \
              --worst 4 --side 128
            lungcli visualize --out film.mp4 --split all --model bundled --side 128
            lungcli visualize --split no-mask --png --gif --grid --data audited \
              --model bundled --out no-mask
            lungcli visualize --split no-mask --data audited --any-convention \
              --model bundled --out no-mask
            lungcli visualize --split no-mask
            lungcli visualize --case nobody
        """,
    ),
    Step(
        name="stress",
        takes=("train/runs", "prepare/prepared", "prepare/two"),
        script="""
            lungcli stress --cases 1 --split all
            lungcli stress --only rotation --only noise --cases 0 --seed 3 --json \
              --model bundled --data two --out few
        """,
    ),
    Step(
        name="predict",
        takes=("phantoms/phantoms", "inputs/inputs", "train/runs"),
        script="""
            lungcli predict phantoms/CXR_png
            lungcli predict phantoms/CXR_png --resume
            lungcli predict phantoms/CXR_png --resume --format png,csv
            lungcli predict inputs --out all --overlay --review
            lungcli predict inputs --out fixed --on-doubt fix --json
            lungcli predict inputs --out refused --on-doubt refuse
            lungcli predict inputs phantoms/CXR_png --out formats --format $FORMATS
            lungcli predict inputs/chest.dcm inputs/film.dcm --out dicom \
              --format $FORMATS --json
            lungcli predict inputs/deep.tif --out seg --format dicom-seg
            lungcli predict inputs/films.zip --out zip --json --model bundled-tiny
            lungcli predict inputs/broken.zip --out broken-zip
            lungcli predict inputs/broken.png --out broken
            lungcli predict inputs/broken.png inputs/wide --out broken --json
            lungcli predict inputs/noise.png --out noise
            lungcli predict inputs/notes.txt --out notes
            lungcli predict inputs/empty --out empty
            lungcli predict - --out list --format csv < inputs/list.txt
            lungcli predict - --out list < inputs/notes.txt
            lungcli predict 'phantoms/CXR*/*_000[1-3]*.png' --out pattern --json
            lungcli predict inputs/wide --out run --model first --format npz
            lungcli predict inputs/wide/chest.jpg --out inputs/wide --format png
            lungcli predict inputs/wide --out inputs/notes.txt
        """,
    ),
    Step(
        name="predict-keras",
        takes=("inputs/inputs", "train/runs"),
        script="""
            lungcli predict inputs/wide inputs/chest.dcm --engine keras --json \
              --model runs/first --format $FORMATS
        """,
    ),
    Step(
        name="merge",
        takes=("phantoms/phantoms", "inputs/inputs"),
        script="""
            lungcli predict phantoms/CXR_png inputs --shard 1/3 --out masks \
              --format png,rle,coco,csv
            lungcli predict phantoms/CXR_png inputs --shard 2/3 --out masks \
              --format png,rle,coco,csv
            lungcli merge masks
            lungcli predict phantoms/CXR_png inputs --shard 3/3 --out masks \
              --format png,rle,coco,csv --json
            lungcli merge masks --json
            lungcli merge masks --out elsewhere
            lungcli predict phantoms/CXR_png inputs --out masks --resume \
              --format png,rle,coco,csv --review
            lungcli predict phantoms/CXR_png --shard 1/2 --out part --format png
            lungcli predict phantoms/CXR_png --shard 2/2 --out other --format csv
            lungcli merge part other --out none
        """,
    ),
    Step(
        name="export",
        takes=("train/runs", "prepare/prepared", "phantoms/phantoms"),
        script="""
            lungcli export --to onnx
            lungcli export --to onnx
            lungcli export --to onnx --force --precision float16 --json
            lungcli export --to onnx --precision int8 --out eight.onnx --data prepared
        """,
    ),
    Step(
        name="export-litert",
        takes=("train/runs", "phantoms/phantoms"),
        script="""
            lungcli export --to litert --out lungs.tflite --data phantoms/CXR_png
            lungcli export --to litert --precision int8
        """,
    ),
    Step(
        name="export-saved-model",
        takes=("train/runs",),
        script="""
            lungcli export --to saved-model --out lungs/1 --json
        """,
    ),
    Step(
        name="demo",
        script="""
            small_demo demo --seed 2
        """,
    ),
    Step(
        name="web",
        takes=("phantoms/phantoms", "phantoms/other"),
        make=inputs.make_site,
        server="web",
        script="""
            lungcli predict $web/ward/ --json
            lungcli predict $web/missing.png
        """,
    ),
    Step(
        name="s3",
        takes=("phantoms/phantoms", "phantoms/other"),
        make=inputs.make_site,
        server="s3",
        script="""
            lungcli predict $s3/ward --out $s3/masks --format png,csv,overlay
            lungcli predict $s3/ward --out $s3/masks --resume --json \
              --format png,csv,overlay
            lungcli predict $s3/none
            lungcli prepare $s3/other --out $s3/prepared --size 64 --workers 1
        """,
    ),
    Step(
        name="real-prepare",
        sets=("MontgomerySet", "ChinaSet_AllFiles", "JSRT"),
        script="""
            lungcli prepare MontgomerySet ChinaSet_AllFiles JSRT $REAL
            lungcli prepare JSRT $REAL --out jsrt --json
        """,
    ),
    Step(
        name="real-predict",
        sets=("wingspan", "kermany-v7", "covid-v7", "dicom"),
        make=inputs.copy_few,
        script="""
            lungcli predict few --json --out few-masks \
              --format png,csv,overlay --review
            lungcli predict dicom --out dicom-masks --format $FORMATS --json
        """,
    ),
    Step(
        name="real-evaluate",
        takes=("real-prepare/jsrt",),
        script="""
            lungcli evaluate --data jsrt --model bundled --split val --figures png
            lungcli visualize --data jsrt --model bundled --split val --grid \
              --worst 6 --side 128
            lungcli stress --data jsrt --model bundled --split val --cases 1 \
              --only gamma --only marker
        """,
    ),
    Step(
        name="demo-full",
        slow=True,
        script="""
            lungcli demo --json
        """,
    ),
    Step(
        name="jax",
        takes=("prepare/prepared", "inputs/inputs"),
        slow=True,
        env={"KERAS_BACKEND": "jax", "JAX_COMPILATION_CACHE_DIR": ""},
        script="""
            lungcli train --epochs 2 --run runs/jax $SMALL
            lungcli train --resume --epochs 3
            lungcli predict inputs/wide --engine keras --model runs/jax
            lungcli export --to onnx --out jax.onnx
            lungcli info
        """,
    ),
    Step(
        name="cluster",
        takes=("phantoms/phantoms", "inputs/inputs"),
        slow=True,
        script="""
            lungcli predict inputs phantoms/CXR_png --cluster local --format png,csv
            lungcli prepare phantoms --cluster local --size 64
        """,
    ),
    Step(
        name="export-bundled",
        slow=True,
        script="""
            lungcli export --to onnx --precision int8 --model bundled
            lungcli export --to litert --model bundled-tiny
            lungcli export --to litert --precision float16 --model bundled-tiny
        """,
    ),
)
