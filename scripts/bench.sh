#!/usr/bin/env bash
# Stage by stage beside DuckDB, Polars and plain xgboost, and the whole pipeline beside the script that one would write
# instead: a table, results.json and results.svg in tests/bench/results.
#   scripts/bench.sh [--events 1000000 10000000 40000000] [--stages ingest features models pipeline] [--minutes 60]
#                    [--home FOLDER] [--out FOLDER]
# What was measured is kept: started again it goes on, --again measures what it is asked for anew; --home keeps the
# worlds; for the pipeline, --events 500000 is the embedded world. On a quiet machine only.
set -euo pipefail
PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup.sh
source "$PROJECT/scripts/setup.sh"
set_up dev
find_java
keep_bytecode
keep_classes now
cd "$PROJECT"
export PYTHONPATH="$PROJECT" PYSPARK_PYTHON="$PROJECT/.venv/bin/python"
exec "$PROJECT/.venv/bin/python" -m tests.bench.everything "$@"
