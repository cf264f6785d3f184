#!/usr/bin/env bash
# Makes the locks anew from pyproject.toml, hashes and all platforms included; versions stay where they still fit.
#   scripts/lock.sh [--upgrade | --upgrade-package NAME]
# requirements.lock is what running takes, requirements-dev.lock what tests take besides.
set -euo pipefail
PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup.sh
source "$PROJECT/scripts/setup.sh"
set_up dev
cd "$PROJECT"

# what only xgboost on GPUs would load is left out: 200 MB. uv itself is what set-ups install with
compile() {
    local out=$1
    shift
    echo uv | "$PROJECT/.venv/bin/uv" pip compile --quiet --no-config --universal --python-version 3.11 \
        --generate-hashes --no-annotate --no-emit-index-url \
        --no-emit-package nvidia-nccl-cu12 --no-emit-package pozytywka-spark \
        --custom-compile-command scripts/lock.sh "$@" --output-file "$out" pyproject.toml -
}

compile requirements-dev.lock --extra all --extra dev "$@"
# the same versions: what is only for tests must not run beside others
compile requirements.lock --extra all --constraint requirements-dev.lock
