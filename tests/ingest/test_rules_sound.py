"""What the strict pattern lets pass, the rules have nothing to say about."""

import json
import re

import pytest
from odd_lines import ADVERT, JUDGING, PLAY, mutants

from pozytywka_spark.ingest.rules.judge import ENTITIES, judge_line
from pozytywka_spark.ingest.rules.times import iso_micros
from pozytywka_spark.ingest.sound import FORM

# Java's \\z is Python's \\Z
PATTERN = re.compile(FORM.replace(r"\z", r"\Z"))


def test_what_is_in_form_passes_the_rules_as_it_stands() -> None:
    sound = 0
    lines = [json.dumps(PLAY), json.dumps(ADVERT), *mutants(40_000)]
    for line in lines:
        if not PATTERN.match(line):
            continue
        pieces = line.split('"')
        time = iso_micros(pieces[3])
        if time is None or time > JUDGING.latest_micros:  # looked at behind the pattern
            continue
        sound += 1
        found = judge_line(line.encode(), ENTITIES["sessions"], JUDGING)
        user, session = (int(pieces[n].strip(":, }")) for n in (6, 16))
        track = pieces[9] or None
        assert found.columns == (time, pieces[13], user, session, track, track is None), line
        assert (found.reason, found.notes) == (None, None if track else ["empty track_id"]), line
        assert (found.raw, found.rescued, found.absent) == (None, None, None)
    assert 0.15 * len(lines) < sound < 0.6 * len(lines)


@pytest.mark.parametrize(
    "track",
    ["null", "None", "nan", "NaN", "NULL", "none", "nOnE", " ", " a", "a ", "-1", " -1", "a\\u0000b", ""],
)
def test_identifiers_that_need_a_rule_are_out_of_form(track) -> None:
    assert not PATTERN.match(json.dumps(PLAY).replace(PLAY["track_id"], track))


@pytest.mark.parametrize("track", ["nullable", "nano", "none1", "-10", "a b", "a-1", "x" * 100, "."])
def test_identifiers_that_only_look_odd_are_in_form(track) -> None:
    assert PATTERN.match(json.dumps(PLAY).replace(PLAY["track_id"], track))
