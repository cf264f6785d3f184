#!/usr/bin/env bash
# What the image runs: Spark's driver or executor as its Kubernetes back end asks for them, one of our jobs by its
# name, or any other command.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Hadoop needs a name for whatever number the pod runs as, and the list of users can't be written
if ! getent passwd "$(id -u)" >/dev/null; then
    NSS_WRAPPER_PASSWD=$(mktemp)
    { cat /etc/passwd && echo "spark:x:$(id -u):$(id -g)::/tmp:/bin/false"; } >"$NSS_WRAPPER_PASSWD"
    export NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP=/etc/group LD_PRELOAD=libnss_wrapper.so
fi

case "${1:-}" in
    driver)
        shift
        exec "$SPARK_HOME/bin/spark-submit" --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
            --deploy-mode client "$@"
        ;;
    executor)
        # its Java options come as SPARK_JAVA_OPT_0, SPARK_JAVA_OPT_1, …
        options=()
        for ((n = 0; ; n++)); do
            name=SPARK_JAVA_OPT_$n
            [ -n "${!name+given}" ] || break
            options+=("${!name}")
        done
        exec "$JAVA_HOME/bin/java" ${options[@]+"${options[@]}"} \
            "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \
            -cp "${SPARK_CONF_DIR:-$SPARK_HOME/conf}:${SPARK_CLASSPATH:+$SPARK_CLASSPATH:}$SPARK_HOME/jars/*" \
            org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
            --driver-url "$SPARK_DRIVER_URL" --executor-id "$SPARK_EXECUTOR_ID" --cores "$SPARK_EXECUTOR_CORES" \
            --app-id "$SPARK_APPLICATION_ID" --hostname "$SPARK_EXECUTOR_POD_IP" \
            --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" --podName "$SPARK_EXECUTOR_POD_NAME"
        ;;
    *)
        if [[ "${1:-}" =~ ^[a-z_]+$ ]] && [ -f "$project/jobs/$1.py" ]; then
            export POZYTYWKA_CONF="${POZYTYWKA_CONF:-$project/conf}"
            set -- "$PYSPARK_PYTHON" "$project/jobs/$1.py" "${@:2}"
        fi
        exec "$@"
        ;;
esac
