#!/usr/bin/env bash
# Brings the jars that some tests need, once, into .venv/share/pozytywka-jars/GROUP, as scripts/jars.txt lists them.
#   scripts/jars.sh [GROUP …]      delta, s3a, yarn; all of them without a name
# Through mvn where it is, else through Spark's own resolver. Exit 1 and one line where they can't be had.
set -euo pipefail
PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PLACE="$PROJECT/.venv/share/pozytywka-jars" LIST="$PROJECT/scripts/jars.txt" LOG="$PROJECT/.venv/jars.log"

fail() {
    echo "error: $1" >&2
    exit 1
}

# What is asked for, a line each: group, checksum, coordinates
listed() { awk -v groups=" $* " '!/^#/ && NF && (groups == "  " || index(groups, " " $1 " "))' "$LIST"; }

name_of() { cut -d: -f2,3 <<<"$1" | tr : -; }

is_right() { [ -f "$2" ] && [ "$(sha256sum "$2" | cut -d' ' -f1)" = "$1" ]; }

# Lines whose jar isn't there as listed; a jar that was checked once isn't read again
missing() {
    local group sum coordinates jar
    while read -r group sum coordinates; do
        jar="$PLACE/$group/$(name_of "$coordinates").jar"
        [ -f "$jar" ] && [ "$(cat "$jar.sha256" 2>/dev/null)" = "$sum" ] || echo "$group $sum $coordinates"
    done
}

# Jars of these lines into a folder: without what they depend on, for Spark has it in its own versions
through_maven() {
    local folder=$1 group artifact version coordinates
    {
        echo '<project><modelVersion>4.0.0</modelVersion><groupId>jars</groupId><artifactId>jars</artifactId><version>1</version><dependencies>'
        while read -r _ _ coordinates; do
            IFS=: read -r group artifact version <<<"$coordinates"
            echo "<dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$version</version>" \
                '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>'
        done
        echo '</dependencies></project>'
    } >"$folder/pom.xml"
    mvn --batch-mode --quiet --file "$folder/pom.xml" dependency:copy-dependencies -DoutputDirectory="$folder"
}

# Spark names a jar GROUP_ARTIFACT-VERSION.jar. A folder of its own: Maven's may hold descriptions without their
# jars, which the resolver takes for a failed download.
through_spark() {
    local folder=$1 packages coordinates home python="$PROJECT/.venv/bin/python"
    packages=$(cut -d' ' -f3 | paste -sd,)
    home=$("$python" -c 'import pathlib, pyspark; print(pathlib.Path(pyspark.__file__).parent)')
    echo 'pass' >"$folder/nothing.py"
    SPARK_HOME="$home" PYSPARK_PYTHON="$python" "$home/bin/spark-submit" --master 'local[1]' --packages "$packages" \
        --conf "spark.jars.ivy=$folder/ivy" --conf spark.ui.enabled=false "$folder/nothing.py"
    for coordinates in ${packages//,/ }; do
        mv "$folder/ivy/jars/${coordinates%%:*}_$(name_of "$coordinates").jar" "$folder/$(name_of "$coordinates").jar"
    done
}

bring() {
    local wanted=$1 folder group sum coordinates jar way=through_spark
    folder=$(mktemp -d "$PROJECT/.venv/jars.XXXXXX")
    # shellcheck disable=SC2064  # its name as it is now: at the end the variable is gone
    trap "rm -rf '$folder'" EXIT
    if command -v mvn >/dev/null; then way=through_maven; fi
    $way "$folder" <<<"$wanted" >"$LOG" 2>&1 \
        || fail "jars for tests could not be brought: $(grep -m1 -iE 'error|not found|exception' "$LOG" || echo "no answer") (all of it: $LOG)"
    while read -r group sum coordinates; do
        jar="$(name_of "$coordinates").jar"
        is_right "$sum" "$folder/$jar" \
            || fail "$coordinates came with another checksum than scripts/jars.txt has; is a mirror's copy another file?"
        mkdir -p "$PLACE/$group"
        mv "$folder/$jar" "$PLACE/$group/$jar"
        echo "$sum" >"$PLACE/$group/$jar.sha256"
    done <<<"$wanted"
}

[ -x "$PROJECT/.venv/bin/python" ] || fail "no .venv yet: run scripts/test.sh, which makes it"
for group in "$@"; do
    listed "$group" | grep -q . || fail "no group $group in scripts/jars.txt; it has $(listed | cut -d' ' -f1 | sort -u | paste -sd' ')"
done
(
    if command -v flock >/dev/null; then flock 9; fi
    wanted=$(listed "$@" | missing)
    [ -n "$wanted" ] || exit 0
    echo "▸ bringing jars for tests once: $(cut -d' ' -f1 <<<"$wanted" | sort -u | paste -sd' ') …" >&2
    bring "$wanted"
) 9>"$PROJECT/.venv/.jars.lock"
