# Sourced by submit.sh and pack.sh: the package as a wheel in dist/, made anew when its sources change.
# shellcheck shell=bash

wheel_path() {
    echo "$PROJECT/dist/pozytywka_spark-$(sed -n 's/^version = "\(.*\)"/\1/p' "$PROJECT/pyproject.toml")-py3-none-any.whl"
}

make_wheel() {
    local wanted wheel stamp="$PROJECT/dist/.wheel-of" source
    wheel=$(wheel_path)
    wanted=$(cd "$PROJECT" && find pozytywka_spark conf -type f \( -name '*.py' -o -path 'conf/*' \) -print0 | LC_ALL=C sort -z \
        | xargs -0 cksum pyproject.toml | cksum)
    if [ -f "$wheel.zip" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return; fi
    mkdir -p "$PROJECT/dist" 2>/dev/null && [ -w "$PROJECT/dist" ] \
        || fail 1 "$PROJECT/dist can't be written: have whoever owns it run this line once, which makes the package's wheel there"
    # from a copy: setuptools leaves build/ and an egg-info beside what it builds; -L: conf is a link there
    source=$(mktemp -d "$PROJECT/dist/.build-XXXXXX")
    cp -RL "$PROJECT/pozytywka_spark" "$PROJECT/pyproject.toml" "$PROJECT/README.md" "$PROJECT/LICENSE" "$source"
    if ! "$PROJECT/.venv/bin/pip" wheel --disable-pip-version-check --quiet --no-deps --no-build-isolation \
        --wheel-dir "$source/made" "$source" >"$PROJECT/dist/wheel.log" 2>&1; then
        rm -rf "$source"
        fail 1 "the package's wheel could not be built; see $PROJECT/dist/wheel.log"
    fi
    mv "$source/made/$(basename "$wheel")" "$wheel" # by a rename: a run under way keeps the file it opened
    # Spark's Python workers take only .zip, .egg and .jar from --py-files: the same bytes under a name they take
    cp "$wheel" "$source/wheel.zip" && mv "$source/wheel.zip" "$wheel.zip"
    rm -rf "$source"
    echo "$wanted" >"$stamp"
}
