#!/usr/bin/env bash
# Linters, types, dependencies and all tests but the nightly ones; does its own set-up. scripts/test.sh --help
set -euo pipefail
PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup.sh
source "$PROJECT/scripts/setup.sh"

usage() {
    cat <<USAGE
usage: scripts/test.sh                   linters, types and all tests that a push must pass
       scripts/test.sh unit              the quick ones of those that start no JVM and no process: no Java needed, under a minute
       scripts/test.sh thorough          the others of those: hundreds of drawn examples, simulated worlds
       scripts/test.sh spark             tests that share a Spark session
       scripts/test.sh system            tests that start processes: jobs as people run them, servers, clusters
       scripts/test.sh nightly           tests that take minutes by nature (tests/conftest.py says why each)
       scripts/test.sh PYTEST ARGUMENTS  such as tests/lake -k append

  TEST_WORKERS=3      tests run in so many processes (lane unit: one a core)
  TEST_REAL=required  fail where the real deliveries beside the checkout (../shared/data) are missing
  TEST_JARS=required  fail where the jars of scripts/jars.txt are missing
USAGE
}

need=
case "${1:-}" in
    -h | --help | help) usage; exit 0 ;;
    unit) need="unit and not thorough and not nightly"; shift ;;
    thorough) need="unit and thorough and not nightly"; shift ;;
    spark | system) need="$1 and not nightly"; shift ;;
    nightly) need=nightly; shift ;;
esac
set_up dev
keep_bytecode
if [[ "$need" != unit* ]]; then
    find_java
    keep_classes now
    # Delta's JVM classes, Hadoop's S3 file system, YARN
    "$PROJECT/scripts/jars.sh" || echo "▸ without these jars, tests on them are skipped (TEST_JARS=required: fail)" >&2
fi
cd "$PROJECT"
export PATH="$PROJECT/.venv/bin:$PATH" PYTHONPATH="$PROJECT" PYSPARK_PYTHON="$PROJECT/.venv/bin/python"
# images often set it: without kept bytecode each worker and each job that a test starts compiles all anew
unset PYTHONDONTWRITEBYTECODE
# workers share the cores: two threads spin for what one solves at once
export OPENBLAS_NUM_THREADS=1
# Tests of Spark and of processes wait now and then: three workers, a Spark session each, keep two cores busy.
# Those of lane unit only compute. tests/side_by_side.py says which tests share a worker.
workers=3
[[ "$need" != unit* ]] || workers=$(getconf _NPROCESSORS_ONLN)
side_by_side=(-n "${TEST_WORKERS:-$workers}" --dist loadfile --no-loadscope-reorder)
case "$need" in
    "") ;;
    nightly) exec python -m pytest -m "$need" "$@" ;;  # clusters and full disks: one at a time
    *) exec python -m pytest -m "$need" "${side_by_side[@]}" "$@" ;;
esac
if [ $# -gt 0 ]; then exec python -m pytest "$@"; fi

# Types take a core for half a minute: it is told in the middle of the tests what is wrong with them
types=$(mktemp)
look_at_types() {
    local found=0
    mypy >"$types" 2>&1 &
    trap "kill $! 2>/dev/null || true; exit 1" TERM
    wait $! || found=$?
    { echo "▸ mypy"; cat "$types"; } >&2
    return "$found"
}
look_at_types &
typing=$!
trap 'kill "$typing" 2>/dev/null || true; rm -f "$types"' EXIT
echo "▸ ruff"
ruff check .
ruff format --check .
echo "▸ layers"
lint-imports
echo "▸ deptry, codespell"
deptry .
codespell
echo "▸ pytest, mypy beside it"
python -m pytest "${side_by_side[@]}" || tested=$?
wait "$typing" || { echo "error: types are wrong: see mypy's lines above the tests' results" >&2; exit 1; }
exit "${tested:-0}"
