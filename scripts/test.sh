#!/usr/bin/env bash
# Linters, types and all tests; does its own set-up. With arguments: only pytest, given them.
set -euo pipefail
PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup.sh
source "$PROJECT/scripts/setup.sh"
set_up dev
find_java
keep_bytecode
keep_classes now
cd "$PROJECT"
# Delta's JVM classes, Hadoop's S3 file system, YARN: CI sets POZYTYWKA_JARS_REQUIRED, and their tests fail without
"$PROJECT/scripts/jars.sh" || echo "▸ without them the tests marked jvm are skipped" >&2
export PATH="$PROJECT/.venv/bin:$PATH" PYTHONPATH="$PROJECT" PYSPARK_PYTHON="$PROJECT/.venv/bin/python"
if [ $# -gt 0 ]; then exec python -m pytest "$@"; fi

echo "▸ ruff"
ruff check .
ruff format --check .
echo "▸ mypy"
mypy
echo "▸ pytest"
# Tests wait far more than they compute, half of it for one JVM's planning: three workers, a Spark session each
exec python -m pytest -n "${TEST_WORKERS:-3}" --dist loadfile --no-loadscope-reorder
