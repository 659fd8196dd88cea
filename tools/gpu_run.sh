#!/usr/bin/env bash
# What only a GPU can show, in one call of under ten minutes.
#
# For a borrowed machine: an NVIDIA GPU, JAX for CUDA, PyTorch to compare with, but no
# network, no TensorFlow, and nothing of lungcli. On a machine of your own, make ready
# what it lacks:
#
#   lungcli prepare MontgomerySet ChinaSet_AllFiles JSRT --splits gaal2020 \
#     --convention heart-excluded --size 384
#   python tools/pack_data.py pack prepared                  # data/gpu/pack.zip, 27 MiB
#   pip download --no-deps --only-binary=:all: -c constraints.txt -d data/gpu/wheels \
#     --python-version 3.12 --implementation cp \
#     --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
#     --platform manylinux2014_x86_64 keras namex optree               # 3 MiB
#
# Take the files of the checkout along, and data/gpu, which git ignores. Then, there,
#
#   bash tools/gpu_run.sh
#
# goes through five stages. Each has a limit; what fails or is cut off does not stop the
# others. A table comes last, and the exit status is 1 if a stage did not pass.
#
#   tests   the tests marked `gpu`, but for
#   proof   whole epochs on the device give the weights of single steps
#   speed   training images/s: the default network, and the classic U-Net against
#           torch.compile
#   dice    seconds to a validation Dice in all three sets at once, cold and warm
#           (tools/time_to_dice.toml)
#   final   the training of tools/final.toml, with as many epochs as time is left for
#
# What is to be taken home lies in $OUT, in eight files of up to 15 MiB for a network of
# up to 11 million weights: log.txt, speed.json, dice.json, and of the training
# model.json, history.csv and the weights, in parts if they are large:
#
#   mkdir run && cp model.json history.csv run
#   cat best.weights.h5.* >run/best.weights.h5
#
# lungcli needs there, beside NumPy, SciPy and Pillow: fsspec, h5py, imageio, jinja2,
# keras (with absl-py, ml-dtypes, namex, optree), matplotlib, onnx, onnxruntime, rich,
# scikit-image, typer; the tests hypothesis, pytest, pytest-timeout and, to run beside
# each other, pytest-xdist. What the machine has need not travel.
#
# Variables:
#   OUT       for the results                               data/gpu/out
#   WHEELS    folder of Python packages to install          data/gpu/wheels
#   PACK      of tools/pack_data.py                         data/gpu/pack.zip
#   PYTHON    the Python with JAX and PyTorch               python3
#   STAGES    which, after the setup                        tests proof speed dice final
#   SECONDS_IN_ALL                                          570
#   SECONDS_<stage>                                         see limit_of
#   FINAL     more options for tools/train_in_time.py       (none)
#   DRY_RUN   1: everything in small, on phantoms and on a processor
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export PYTHON=${PYTHON:-python3} STAGES=${STAGES:-tests proof speed dice final}
export OUT=${OUT:-data/gpu/out} WHEELS=${WHEELS:-data/gpu/wheels}
export PACK=${PACK:-data/gpu/pack.zip} DRY_RUN=${DRY_RUN:-} FINAL=${FINAL:-}
SECONDS_IN_ALL=${SECONDS_IN_ALL:-570}
PART_BYTES=${PART_BYTES:-15M} # of the weights
AT_THE_END=15                 # seconds: to collect what is there

# What each stage may take, in seconds. The last one gets what is left.
limit_of() {
  local -A limits=([setup]=40 [tests]=75 [proof]=60 [speed]=190 [dice]=115)
  local own=SECONDS_$1
  echo "${!own:-${limits[$1]:-$SECONDS_IN_ALL}}"
}

# ---- the stages; each runs in a shell of its own, with LIMIT in its environment ----

stage_setup() {
  if command -v nvidia-smi >/dev/null; then nvidia-smi; fi
  if compgen -G "$WHEELS/*.whl" >/dev/null; then
    "$PYTHON" -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir \
      --upgrade --target "$WORK/site" "$WHEELS"/*.whl
  fi
  [[ -z $DRY_RUN ]] || pack_phantoms
  "$PYTHON" tools/pack_data.py unpack "$PACK" "$WORK/data"
  "$PYTHON" -m lungcli info
  [[ -n $DRY_RUN ]] || "$PYTHON" -c '
from lungcli.nn.precision import list_devices
devices = list_devices()
assert any(name.startswith("gpu") for name in devices), f"no GPU: {devices}"'
}

pack_phantoms() {
  PACK=$WORK/pack.zip
  "$PYTHON" -c '
import sys
from pathlib import Path
from lungcli.phantom import write_montgomery
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings
source, out = (Path(sys.argv[1]) / name for name in ("phantoms", "prepared"))
write_montgomery(source, count=12, size=96, workers=1)
prepare([source], settings=PrepareSettings(out=out, size=96, workers=1, val=0.2))' "$WORK"
  "$PYTHON" tools/pack_data.py pack "$WORK/prepared" --out "$PACK"
}

stage_tests() {
  local files
  files=$(grep -rl --include='test_*.py' 'mark\.gpu' tests/unit/nn | grep -v resident)
  # shellcheck disable=SC2086 # several names
  run_tests $files
}

stage_proof() { run_tests tests/unit/nn/test_resident.py; }

run_tests() {
  local options=(-m gpu -rA -W default -p no:cacheprovider)
  [[ -z $DRY_RUN ]] || options+=(--any-device -k "not bfloat16")
  # beside each other: most of the time is compilation
  if "$PYTHON" -c 'import xdist' 2>/dev/null; then options+=(-n "${BESIDE:-4}"); fi
  # each takes the memory that it needs, not most of what there is
  XLA_PYTHON_CLIENT_PREALLOCATE=false "$PYTHON" -m pytest -v "${options[@]}" "$@"
}

stage_speed() {
  local options=(--device cuda --precision bfloat16 --steps 100 "${DATA[@]}")
  # like with like: the rival augments nothing
  options+=(--network classic --only "classic/lungcli, no augmentation")
  options+=(--only "PyTorch compiled" --network default --only default/lungcli)
  [[ -z $DRY_RUN ]] || options=(
    --device cpu --precision float32 --network default --only lungcli --rounds 1
    --size 64 --batch-size 2 --steps 2 "${DATA[@]}"
  )
  "$PYTHON" benchmarks/training_speed.py "${options[@]}" --json >"$OUT/speed.json"
}

stage_dice() {
  local train=(--config "$PWD/tools/time_to_dice.toml")
  local reach=(--reach Montgomery=.978 --reach JSRT=.978 --reach Shenzhen=.954)
  if [[ -n $DRY_RUN ]]; then
    train+=(--size 64 --filters 4 --depth 2 --batch-size 4 --epochs 2)
    reach=(--reach 0)
  fi
  "$PYTHON" benchmarks/time_to_dice.py "${DATA[@]}" --backend jax --rounds 1 \
    --limit $((LIMIT - 15)) "${reach[@]}" --json -- "${train[@]}" >"$OUT/dice.json"
}

stage_final() {
  local recipe=tools/final.toml more=()
  # shellcheck disable=SC2206 # several options
  more=($FINAL)
  if [[ -n $DRY_RUN ]]; then
    recipe=$WORK/final.toml
    printf '%s\n' size=64 filters=4 depth=2 batch-size=4 epochs=2 >"$recipe"
  fi
  "$PYTHON" tools/train_in_time.py "$recipe" "${DATA[@]}" --run "$WORK/final" \
    --seconds $((LIMIT - 5)) "${more[@]}"
}

# ---- the run ----

names=() verdicts=() took=()
running='' stopped=''

run_stage() {
  local name=$1 limit left status=0 began=$SECONDS
  limit=$(limit_of "$name")
  left=$((SECONDS_IN_ALL - AT_THE_END - SECONDS))
  ((limit < left)) || limit=$left
  echo "== $name, at most $limit s"
  if ((limit < 5)) || [[ -n $stopped ]]; then
    note "$name" "no time left" 0
    return
  fi
  LIMIT=$limit timeout --kill-after=10 "$limit" bash "$0" --stage "$name" \
    >"$OUT/$name.log" 2>&1 &
  running=$!
  wait "$running" || status=$?
  [[ -z $stopped ]] || wait "$running" || true # a stop ends the first wait at once
  kill -KILL -- "-$running" 2>/dev/null || true # what it started and left behind
  running=''
  case $status in
    0) note "$name" passed $((SECONDS - began)) ;;
    124 | 137) note "$name" "cut off" $((SECONDS - began)) ;;
    *) note "$name" "failed ($status)" $((SECONDS - began)) ;;
  esac
}

# Ctrl-C and the like: no other stage, but what there is is collected.
stop() {
  stopped=yes
  [[ -z $running ]] || kill -TERM -- "-$running" 2>/dev/null || true
}

note() {
  names+=("$1") verdicts+=("$2") took+=("$3")
}

# Weights first: whatever comes after may fail.
collect() {
  local weights=$WORK/final/best.weights.h5 name
  if [[ -f $weights ]]; then
    cp "$WORK"/final/{model.json,history.csv} "$OUT"
    split --bytes="$PART_BYTES" --numeric-suffixes=1 --suffix-length=1 \
      "$weights" "$OUT/best.weights.h5."
  fi
  for name in "${names[@]}"; do
    [[ -f $OUT/$name.log ]] || continue
    { echo "==== $name" && cat "$OUT/$name.log"; } >>"$OUT/log.txt"
  done
  find "$OUT" -maxdepth 1 -name '*.json' -empty -delete # of a stage that was cut off
}

# The end of each log, and last of all the table.
summarize() {
  local name at
  for name in "${names[@]}"; do
    [[ $name != setup && -f $OUT/$name.log ]] || continue
    echo "---- $name"
    tail -n 25 "$OUT/$name.log"
  done
  echo "---- in $OUT"
  (cd "$OUT" && du -h --apparent-size -- *.txt *.json *.csv *.h5.* 2>/dev/null || true)
  echo
  printf '%-8s %-14s %s\n' stage verdict seconds
  for at in "${!names[@]}"; do
    printf '%-8s %-14s %s\n' "${names[at]}" "${verdicts[at]}" "${took[at]}"
  done
}

main() {
  local name
  mkdir -p "$OUT"
  OUT=$(cd "$OUT" && pwd)
  rm -f "$OUT"/{log.txt,{speed,dice,model}.json,history.csv,best.weights.h5.*}
  WORK=$(mktemp -d)
  export WORK OUT KERAS_BACKEND=jax JAX_COMPILATION_CACHE_DIR=$WORK/jax
  export PYTHONPATH=$PWD/src:$WORK/site${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1
  export COLUMNS=100 # of the tables
  trap stop INT TERM
  trap 'rm -rf "$WORK"' EXIT
  for name in setup $STAGES; do
    run_stage "$name"
  done
  collect
  summarize | tee -a "$OUT/log.txt"
  for name in "${names[@]}"; do rm -f "$OUT/$name.log"; done
  [[ ! ${verdicts[*]} =~ failed|cut|left ]]
}

if [[ ${1:-} == --stage ]]; then
  trap 'exit 143' TERM # when what it runs has ended: a training saves first
  DATA=()
  for folder in "$WORK"/data/*/; do
    [[ ! -d $folder ]] || DATA+=(--data "$folder")
  done
  "stage_$2"
else
  main
fi
