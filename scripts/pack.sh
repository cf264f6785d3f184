#!/usr/bin/env bash
# Makes dist/environment.tar.gz: Python packages for executors that lack them, at the pinned versions.
#   scripts/pack.sh
#   scripts/submit.sh JOB --env cluster --master URL … -- --archives dist/environment.tar.gz#environment
# The machines must have the same minor version of Python at the same path as this one (venv-pack's rule).
set -euo pipefail
PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup.sh
source "$PROJECT/scripts/setup.sh"
# shellcheck source=scripts/ship.sh
source "$PROJECT/scripts/ship.sh"
set_up run
make_wheel
work=$(mktemp -d "$PROJECT/dist/.pack-XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "▸ packages into a fresh environment …" >&2
"$PROJECT/.venv/bin/python" -m venv "$work/environment"
# the wheel itself too, so that what is packed stands alone; submit.sh's --py-files win over it
install_packed() {
    # through uv where set-up had it, without resolving: the lock has all
    local uv="$PROJECT/.venv/bin/uv" pip
    pip=("$work/environment/bin/pip" install --disable-pip-version-check --quiet --no-deps)
    if [ -x "$uv" ] && [ -f "$PROJECT/.venv/uv.txt" ]; then
        uv=("$uv" pip install --quiet --no-config --python "$work/environment/bin/python" --link-mode copy --no-deps)
        UV_HTTP_TIMEOUT=120 "${uv[@]}" --require-hashes --requirement "$PROJECT/requirements.lock" \
            && "${uv[@]}" "$(wheel_path)" && return
    fi
    "${pip[@]}" --require-hashes --requirement "$PROJECT/requirements.lock" && "${pip[@]}" "$(wheel_path)"
}
install_packed >"$PROJECT/dist/pack.log" 2>&1 \
    || fail 1 "packages could not be installed: $(tail -n 1 "$PROJECT/dist/pack.log")"
"$PROJECT/.venv/bin/pip" install --disable-pip-version-check --quiet venv-pack==0.2.0 >>"$PROJECT/dist/pack.log" 2>&1 \
    || fail 1 "venv-pack could not be installed: $(tail -n 1 "$PROJECT/dist/pack.log")"
echo "▸ packing …" >&2
"$PROJECT/.venv/bin/venv-pack" --quiet --force --compress-level "${PACK_LEVEL:-4}" \
    --prefix "$work/environment" --output "$PROJECT/dist/.environment.tar.gz"
mv "$PROJECT/dist/.environment.tar.gz" "$PROJECT/dist/environment.tar.gz"
ls -lh "$PROJECT/dist/environment.tar.gz" | awk '{print $9, $5}'
