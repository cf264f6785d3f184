#!/usr/bin/env bash
# The one way in for every job; does its own set-up. scripts/submit.sh --help
set -euo pipefail
PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup.sh
source "$PROJECT/scripts/setup.sh"

jobs_with_a_line() {
    local file
    for file in "$PROJECT"/jobs/*.py; do
        [ "$(basename "$file")" = __init__.py ] && continue
        printf '  %-12s %s\n' "$(basename "$file" .py)" "$(sed -n '1s/^"""\(.*\)/\1/p' "$file" | sed 's/"""$//')"
    done
}

usage() {
    cat <<USAGE
usage: scripts/submit.sh JOB [--env local|cluster] [--set KEY=VALUE …] [JOB FLAGS] [-- SPARK-SUBMIT FLAGS]

jobs:
$(jobs_with_a_line)

  --env local      run in place on this machine (the default)
  --env cluster    run through spark-submit; --dry-run prints its command instead
  --set KEY=VALUE  override a setting of conf/, such as label.horizon_days=14
  --verbose        show Spark's log and full stack traces

scripts/submit.sh JOB --help lists a job's own flags. Without raw.path jobs work on an embedded
Pozytywka under var/embedded.
USAGE
}

case "${1:-}" in
    "" ) usage >&2; exit 2 ;;
    -h | --help | help) usage; exit 0 ;;
esac
job=$1
shift
if [[ ! "$job" =~ ^[a-z_]+$ ]] || [ ! -f "$PROJECT/jobs/$job.py" ]; then
    fail 2 "no such job: $job; jobs: $(cd "$PROJECT/jobs" && ls ./*.py | sed 's,^\./,,; s,\.py$,,; /__init__/d' | paste -sd' ')"
fi

env=local dry_run=no job_args=() spark_args=()
while [ $# -gt 0 ]; do
    case "$1" in
        --) shift; spark_args=("$@"); break ;;
        --env) env=${2:-}; job_args+=("$1" ${2+"$2"}); shift ;;
        --env=*) env=${1#--env=}; job_args+=("$1") ;;
        --dry-run) dry_run=yes; job_args+=("$1") ;;
        *) job_args+=("$1") ;;
    esac
    [ $# -eq 0 ] || shift
done

if [ "$env" != cluster ]; then
    set_up run
    find_java
    export PYTHONPATH="$PROJECT${PYTHONPATH:+:$PYTHONPATH}" PYSPARK_PYTHON="$PROJECT/.venv/bin/python"
    [ ${#spark_args[@]} -eq 0 ] || export PYSPARK_SUBMIT_ARGS="$(printf '%q ' "${spark_args[@]}")pyspark-shell"
    exec "$PROJECT/.venv/bin/python" "$PROJECT/jobs/$job.py" ${job_args[@]+"${job_args[@]}"}
fi

submit="${SPARK_HOME:+$SPARK_HOME/bin/spark-submit}"
submit="${submit:-$PROJECT/.venv/bin/spark-submit}"
package="$PROJECT/dist/pozytywka_spark.zip"
# --dry-run belongs to submit.sh here: the job gets everything else
kept=()
for arg in ${job_args[@]+"${job_args[@]}"}; do [ "$arg" = --dry-run ] || kept+=("$arg"); done
quiet=(--conf spark.log.level=ERROR --conf spark.ui.showConsoleProgress=false)
# a driver on this machine can be told to be quiet from its first line on
[[ " ${spark_args[*]-} " == *" cluster "* ]] \
    || quiet+=(--driver-java-options "-Dlog4j2.configurationFile=file:$PROJECT/conf/log4j2.properties")
[[ " ${kept[*]-} " == *" --verbose "* ]] && quiet=()
command=("$submit" --name "pozytywka $job" --py-files "$package"
    --files "$PROJECT/conf/base.yaml,$PROJECT/conf/cluster.yaml" ${quiet[@]+"${quiet[@]}"}
    ${spark_args[@]+"${spark_args[@]}"} "$PROJECT/jobs/$job.py" ${kept[@]+"${kept[@]}"})
if [ "$dry_run" = yes ]; then
    for word in "${command[@]}"; do
        if [[ "$word" =~ ^[[:alnum:]_./:=,@%+-]+$ ]]; then printf '%s ' "$word"; else printf '%q ' "$word"; fi
    done
    echo
    exit 0
fi
set_up run
find_java
mkdir -p "$PROJECT/dist"
(cd "$PROJECT" && .venv/bin/python -m zipfile -c "$package.$$" pozytywka_spark && mv "$package.$$" "$package")
export POZYTYWKA_CONF="$PROJECT/conf" PYSPARK_PYTHON="${PYSPARK_PYTHON:-$PROJECT/.venv/bin/python}"
exec "${command[@]}"
