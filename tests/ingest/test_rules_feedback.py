"""What becomes of a line of feedback: what is taken, what is quarantined and why, what is kept of that."""

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.ingest.validate.rules.judge import ENTITIES, judge_line
from pozytywka_spark.ingest.validate.rules.times import month_days
from pozytywka_spark.ingest.validate.rules.verdict import Judging, Verdict

FEEDBACK = ENTITIES["feedback"]
JUDGING = Judging(2**20, datetime(2024, 1, 1, tzinfo=UTC))
SOUND = {
    "feedback_id": "f1",
    "timestamp": "2023-02-28T23:59:59.5",
    "user_id": 101,
    "channel": "support",
    "text": "Ring 600 700 800",
    "score": None,
    "queue": None,
    "spam": None,
}


def judged(line: str | bytes | None = None, unit: str | None = None, **fields: object) -> Verdict:
    text = json.dumps(SOUND | fields) if line is None else line
    return judge_line(text if isinstance(text, bytes) else text.encode(), FEEDBACK, JUDGING, unit=unit)


def test_a_sound_line_as_columns() -> None:
    said = judged(score=10, queue=" payment ", spam=False, channel=" NPS")
    columns = dict(zip(FEEDBACK.columns, said.columns, strict=True))
    moment = datetime(2023, 2, 28, 23, 59, 59, 500_000, tzinfo=UTC)
    assert columns == {
        "feedback_id": "f1",
        "feedback_time": int(moment.timestamp() * 1_000_000),
        "user_id": 101,
        "channel": "nps",
        "text": "Ring [phone]",
        "score": 10,
        "queue": "payment",
        "spam": False,
        "masked": 1,
        "feedback_month": (date(2023, 2, 1) - date(1970, 1, 1)).days,
        "user_bucket": 0,
    }
    assert (said.reason, said.raw, said.notes) == (None, None, ["case of channel", "masked text"])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"score": 11}, "out_of_range"),
        ({"score": -1}, "out_of_range"),
        ({"score": 7.0}, "wrong_type"),
        ({"score": "7"}, "wrong_type"),
        ({"channel": "pigeon"}, "unknown_channel"),
        ({"channel": None}, "unknown_channel"),
        ({"text": None}, "missing_text"),
        ({"text": ""}, "missing_text"),
        ({"text": " \n\t"}, "missing_text"),
        ({"text": "\u200b\u00ad"}, "missing_text"),
        ({"text": "<p> </p>"}, "missing_text"),
        ({"text": None, "score": 11}, "out_of_range"),
        ({"text": None, "score": "7"}, "wrong_type"),
        ({"text": 5, "score": 7}, "wrong_type"),
        ({"text": 5}, "wrong_type"),
        ({"text": ["a"]}, "wrong_type"),
        ({"user_id": None}, "missing_user"),
        ({"user_id": -1}, "missing_user"),
        ({"user_id": "null"}, "missing_user"),
        ({"user_id": "7"}, "wrong_type"),
        ({"feedback_id": None}, "missing_feedback_id"),
        ({"feedback_id": "-1"}, "missing_feedback_id"),
        ({"feedback_id": "a b"}, "bad_identifier"),
        ({"feedback_id": "jan@wp.pl"}, "bad_identifier"),
        ({"feedback_id": "x" * 129}, "bad_identifier"),
        ({"feedback_id": "a\ud800"}, "bad_identifier"),
        ({"timestamp": None}, "bad_timestamp"),
        ({"timestamp": "yesterday"}, "bad_timestamp"),
        ({"timestamp": "2023-02-30T00:00:00"}, "bad_timestamp"),
        ({"timestamp": 1675209600}, "wrong_type"),
        ({"timestamp": "1999-12-31T23:59:59"}, "out_of_range"),
        ({"timestamp": "2024-01-01T00:00:01"}, "in_the_future"),
        ({"queue": "jan@wp.pl"}, "bad_queue"),
        ({"queue": "ring 600700800"}, "bad_queue"),
        ({"queue": "a very long queue " * 5}, "bad_queue"),
        ({"spam": "yes"}, "wrong_type"),
    ],
)
def test_what_is_quarantined_and_why(fields: dict[str, object], reason: str) -> None:
    said = judged(**fields)
    assert said.reason == reason
    assert said.raw is not None
    assert json.loads(said.raw).keys() == SOUND.keys()


@pytest.mark.parametrize(
    ("fields", "column", "value"),
    [
        ({"text": "x"}, "text", "x"),
        ({"text": "👍"}, "text", "👍"),
        ({"text": "<b>Za dużo</b> reklam &#128512;"}, "text", "Za dużo reklam 😀"),
        ({"text": "Ładne, beautiful, 好听, красиво"}, "text", "Ładne, beautiful, 好听, красиво"),
        ({"text": "half a pair \ud83d"}, "text", "half a pair ?"),
        ({"text": "a\u0000b"}, "text", "a b"),
        ({"text": "x" * 1_000_000}, "text", "x" * 1_000_000),
        ({"queue": ""}, "queue", None),
        ({"queue": "None"}, "queue", None),
        ({"queue": "zwroty i karty"}, "queue", "zwroty i karty"),
        ({"score": 0}, "score", 0),
        ({"score": 0, "text": None}, "text", None),
        ({"score": 0, "text": None}, "masked", 0),
        ({"score": 10, "text": ""}, "text", None),
        ({"score": 10, "text": "\u200b <p> </p>"}, "text", None),
        ({"spam": True}, "spam", True),
    ],
)
def test_odd_lines_that_are_sound(fields: dict[str, object], column: str, value: object) -> None:
    said = judged(**fields)
    assert said.reason is None
    assert dict(zip(FEEDBACK.columns, said.columns, strict=True))[column] == value


def test_a_line_of_more_than_a_megabyte_and_broken_ones() -> None:
    assert judged(text="x" * 2**20).reason == "too_long"
    assert judged('{"text": "Kowalski"').reason == "malformed"
    assert judged(b'{"text": "Kowalski\xff"}').reason == "invalid_utf8"
    assert judged('{"text": "Kowalski", "text": "Nowak"}').reason == "duplicate_key"


def test_numbers_as_timestamps_of_a_whole_file() -> None:
    said = judged(unit="s", timestamp=1675209600)
    assert (said.reason, said.notes) == (
        None,
        ["null score", "null queue", "null spam", "timestamp_from_epoch", "masked text"],
    )


_SECRET = "Zdzisława"
_VALUES = st.one_of(
    st.none(), st.integers(-5, 15), st.booleans(), st.just(f"{_SECRET} Kowalska"), st.just([_SECRET]),
    st.just({_SECRET: _SECRET}), st.just(f"{_SECRET}@wp.pl"), st.just(f"{_SECRET}\u200b1"),
)  # fmt: skip


@given(st.dictionaries(st.sampled_from([*SOUND, "extra", _SECRET]), _VALUES, max_size=4), st.booleans())
def test_nothing_written_is_kept_of_a_rejected_line(fields: dict[str, object], cut: bool) -> None:
    """Neither of the text, nor of what stands in the wrong field, nor in fields that nobody knows."""
    line = json.dumps(SOUND | {"text": f"{_SECRET} <b>Kowal</b>ska"} | fields, ensure_ascii=False)
    said = judge_line((line[:-1] if cut else line).encode(), FEEDBACK, JUDGING, keep_text=True)
    kept = [said.raw, said.rule, said.rescued, *(said.notes or [])]
    assert not any(_SECRET in str(each) or "Kowal" in str(each) for each in kept), kept
    if said.raw is not None and not cut:
        again = judge_line(said.raw.encode(), FEEDBACK, JUDGING)
        assert (again.reason is None) <= (said.reason in (None, "duplicate_key")), "masking made it sound"


def test_a_row_without_its_text_counts_when_it_is_tried_again() -> None:
    early = Judging(2**20, datetime(2023, 1, 1, tzinfo=UTC))
    line = json.dumps(SOUND | {"score": 9, "queue": "payment"}).encode()
    said = judge_line(line, FEEDBACK, early)
    assert (said.reason, json.loads(said.raw or "")["text"]) == ("in_the_future", "***")
    again = judge_line((said.raw or "").encode(), FEEDBACK, JUDGING)
    columns = dict(zip(FEEDBACK.columns, again.columns, strict=True))
    assert (again.reason, columns["text"], columns["score"]) == (None, None, 9)
    early_score = judge_line(json.dumps(SOUND | {"score": 9, "text": "<p> "}).encode(), FEEDBACK, early)
    again = judge_line((early_score.raw or "").encode(), FEEDBACK, JUDGING)
    columns = dict(zip(FEEDBACK.columns, again.columns, strict=True))
    assert (again.reason, columns["text"], columns["score"]) == (None, None, 9)
    blank = judged(text="<p> ")
    assert judge_line((blank.raw or "").encode(), FEEDBACK, JUDGING).reason == "missing_text"


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)))
def test_the_month_of_a_moment(moment: datetime) -> None:
    micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)
    assert month_days(micros) == (moment.date().replace(day=1) - date(1970, 1, 1)).days
