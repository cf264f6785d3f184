#!/usr/bin/env bash
# The one way in for every job; does its own set-up. scripts/submit.sh --help
set -euo pipefail
PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup.sh
source "$PROJECT/scripts/setup.sh"
# shellcheck source=scripts/ship.sh
source "$PROJECT/scripts/ship.sh"

jobs_with_a_line() {
    local file
    for file in "$PROJECT"/pozytywka_spark/jobs/*.py; do
        [ "$(basename "$file")" = __init__.py ] && continue
        printf '  %-12s %s\n' "$(basename "$file" .py)" "$(sed -n '1s/^"""\(.*\)/\1/p' "$file" | sed 's/"""$//')"
    done
}

usage() {
    cat <<USAGE
usage: scripts/submit.sh JOB [--env local|cluster] [--master URL] [--set KEY=VALUE …] [JOB FLAGS]
                             [-- SPARK-SUBMIT FLAGS]

jobs:
$(jobs_with_a_line)

  --env local      run in place on this machine (the default)
  --env cluster    run through spark-submit; --dry-run prints its command instead
  --master URL     spark://host:7077, yarn, k8s://https://host:443, local[4] …
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

env=local dry_run=no job_args=() spark_args=() master=
while [ $# -gt 0 ]; do
    case "$1" in
        --) shift; spark_args+=("$@"); break ;;
        --master) [ $# -ge 2 ] || fail 2 "--master needs a value, such as spark://host:7077"; master=$2; shift ;;
        --master=*) master=${1#--master=} ;;
        --env) env=${2:-}; job_args+=("$1" ${2+"$2"}); shift ;;
        --env=*) env=${1#--env=}; job_args+=("$1") ;;
        --dry-run) dry_run=yes; job_args+=("$1") ;;
        *) job_args+=("$1") ;;
    esac
    [ $# -eq 0 ] || shift
done

if [ "$env" != cluster ]; then
    case "$master" in
        "") ;;
        local*) job_args+=(--set "spark.master=$master") ;;
        *) fail 2 "--master $master is a cluster's: add --env cluster" ;;
    esac
    set_up run
    find_java
    keep_bytecode
    keep_classes later
    export PYTHONPATH="$PROJECT${PYTHONPATH:+:$PYTHONPATH}" PYSPARK_PYTHON="$PROJECT/.venv/bin/python"
    [ ${#spark_args[@]} -eq 0 ] || export PYSPARK_SUBMIT_ARGS="$(printf '%q ' "${spark_args[@]}")pyspark-shell"
    exec "$PROJECT/.venv/bin/python" "$PROJECT/jobs/$job.py" ${job_args[@]+"${job_args[@]}"}
fi

[ -z "$master" ] || spark_args=(--master "$master" ${spark_args[@]+"${spark_args[@]}"})
submit="${SPARK_HOME:+$SPARK_HOME/bin/spark-submit}"
submit="${submit:-$PROJECT/.venv/bin/spark-submit}"
# --dry-run belongs to submit.sh here: the job gets everything else
kept=()
for arg in ${job_args[@]+"${job_args[@]}"}; do [ "$arg" = --dry-run ] || kept+=("$arg"); done
quiet=(--conf spark.log.level=ERROR --conf spark.ui.showConsoleProgress=false)
driver_here=yes
[[ " ${spark_args[*]-} " == *" --deploy-mode cluster "* || " ${spark_args[*]-} " == *"--deploy-mode=cluster"* ]] && driver_here=no
[[ " ${kept[*]-} " == *" --verbose "* ]] && quiet=()
# a driver on this machine can be told to be quiet from its first line on; Java options of the user's own
# would take the place of that, so they are joined
if [ $driver_here = yes ] && [ ${#quiet[@]} -gt 0 ]; then
    log4j="-Dlog4j2.configurationFile=file:$PROJECT/conf/log4j2.properties" joined=no
    for i in ${spark_args[@]+"${!spark_args[@]}"}; do
        case "${spark_args[i]}" in
            --driver-java-options) spark_args[i + 1]="$log4j ${spark_args[i + 1]-}" joined=yes ;;
            --driver-java-options=*) spark_args[i]="${spark_args[i]/=/=$log4j }" joined=yes ;;
            *spark.driver.extraJavaOptions=*) spark_args[i]="${spark_args[i]/Options=/Options=$log4j }" joined=yes ;;
        esac
    done
    [ $joined = yes ] || quiet+=(--driver-java-options "$log4j")
fi

# Which Python runs the tasks: the user's word, else the one in the archive shipped as `environment`,
# else this machine's own, which is right where the nodes see this folder.
if [ -z "${PYSPARK_PYTHON:-}" ]; then
    PYSPARK_PYTHON="$PROJECT/.venv/bin/python"
    [[ " ${spark_args[*]-}" == *"#environment"* ]] && PYSPARK_PYTHON=./environment/bin/python
fi
python_conf=(--conf "spark.pyspark.python=$PYSPARK_PYTHON")
[ $driver_here = no ] || python_conf+=(--conf "spark.pyspark.driver.python=${PYSPARK_DRIVER_PYTHON:-$PROJECT/.venv/bin/python}")

# a driver on the cluster would take the package's own rules of fraud if these weren't sent along
settings="${POZYTYWKA_CONF:-$PROJECT/conf}"
files="$settings/base.yaml,$settings/cluster.yaml"
[ ! -f "$settings/rules.yaml" ] || files+=",$settings/rules.yaml"
command=("$submit" --name "pozytywka $job" --py-files "$(wheel_path).zip" --files "$files"
    "${python_conf[@]}" ${quiet[@]+"${quiet[@]}"}
    ${spark_args[@]+"${spark_args[@]}"} "$PROJECT/jobs/$job.py" ${kept[@]+"${kept[@]}"})
if [ "$dry_run" = yes ]; then
    for word in "${command[@]}"; do
        if [[ "$word" =~ ^[[:alnum:]_./:=,@%+#-]+$ ]]; then printf '%s ' "$word"; else printf '%q ' "$word"; fi
    done
    echo
    exit 0
fi
set_up run
find_java
make_wheel
unset PYSPARK_PYTHON PYSPARK_DRIVER_PYTHON # they would win over what the command says
export POZYTYWKA_CONF="$settings"
# spark-submit would look for itself with whatever python comes first on the PATH
export SPARK_HOME="${SPARK_HOME:-$("$PROJECT/.venv/bin/python" -c 'import pathlib, pyspark; print(pathlib.Path(pyspark.__file__).parent)')}"
exec "${command[@]}"
