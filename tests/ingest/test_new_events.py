"""Which events are new: the batch's rows beside each other and beside what is held."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.hashing.identity import event_ids, user_bucket
from pozytywka_spark.ingest.outcomes import summed
from pozytywka_spark.ingest.parcels import LEFT, RESCUED
from pozytywka_spark.ingest.resolve.new_events import EventShard, NewEvents
from pozytywka_spark.lake.event_notes import as_note, note_of
from pozytywka_spark.schemas import EVENTS
from tests.in_memory import MemoryFiles
from tests.ingest.silver_rows import START, as_held, events

MONTH = date(2023, 2, 1)
PLAY = {"at": 5, "event_type": "PLAY", "user_id": 7, "session_id": 70, "track_id": "a"}


def resolve(parcels, held=(), *, bucket=0, **how):
    """The files after the work, and what became of rows: (outcome, reason, month) → rows."""
    files = MemoryFiles()
    partition = {"event_month": MONTH, "user_bucket": bucket}
    shard = EventShard(
        MONTH,
        bucket,
        tuple(files.put("complete", rows, (str(MONTH), bucket)) for rows in parcels),
        tuple(files.put_file(rows, partition) for rows in held),
    )
    told = list(NewEvents(**{"buckets": 1, **how})([shard], files))
    counts = {(r["outcome"], r["reason"], r["event_month"]): r["rows"] for r in summed(told)}
    return files, counts


def written(files):
    return pl.concat([rows for *_, rows in files.written])


def test_new_events_are_written_as_the_table_has_them() -> None:
    rows = events(
        {**PLAY, "at": 9, "user_id": 8},
        {**PLAY, "at": 7, "repair_reason": "user_from_session"},
        {**PLAY, "event_type": "ADVERTISEMENT", "track_id": None},
    )
    files, counts = resolve([rows])
    ((table, partition, frame),) = files.written
    assert (table, partition) == ("events", {"event_month": MONTH, "user_bucket": 0})
    assert frame.columns == [name for name in EVENTS.columns if name not in EVENTS.partition_by]
    at = [START + timedelta(seconds=s) for s in (5, 7, 9)]
    assert frame.drop("event_id").rows() == [
        (at[0], "ADVERTISEMENT", 7, 70, None, False, None),
        (at[1], "PLAY", 7, 70, "a", True, "user_from_session"),
        (at[2], "PLAY", 8, 70, "a", False, None),
    ]
    assert frame.get_column("event_id").to_list() == event_ids(frame).to_list()
    assert counts == {("kept", None, MONTH): 2, ("repaired", "user_from_session", MONTH): 1}


@pytest.mark.parametrize(
    "other",
    [{"at": 5.000001}, {"event_type": "LIKE"}, {"user_id": 8}, {"session_id": 71}, {"track_id": "b"},
     {"event_type": "BUY_PREMIUM", "track_id": None}],
)  # fmt: skip
def test_what_differs_in_any_field_is_another(other) -> None:
    rows = events(PLAY, PLAY | other)
    assert resolve([rows])[1] == {("kept", None, MONTH): 2}
    assert resolve([rows], [as_held(events(PLAY | other))])[1] == {
        ("kept", None, MONTH): 1,
        ("duplicate", "same_row", None): 1,
    }


def test_of_equal_rows_a_sound_one_counts_then_the_first() -> None:
    equal = [
        {**PLAY, "source": 1, "source_order": 5, "rescued": "second"},
        {**PLAY, "source": 0, "source_order": 9, "rescued": "first"},
        {**PLAY, "source": 0, "source_order": 1, "repair_reason": "type_by_order", "rescued": "repaired"},
    ]
    for rows in (equal, equal[::-1]):
        files, counts = resolve([events(*rows[:2]), events(rows[2])])
        assert counts == {("kept", None, MONTH): 1, ("duplicate", "same_row", None): 2}
        assert files.staged(RESCUED)[()].get_column("rescued").to_list() == ["first"]


def test_what_is_held_makes_all_equal_rows_duplicates() -> None:
    advert = {**PLAY, "event_type": "ADVERTISEMENT", "track_id": None}
    held = [as_held(events({**PLAY, "repair_reason": "user_from_session"})), as_held(events(advert))]
    files, counts = resolve([events(PLAY, advert, PLAY)], held)
    assert files.written == []
    assert counts == {("duplicate", "same_row", None): 3}


def test_fields_that_the_contract_does_not_know_go_by_the_event() -> None:
    files, _ = resolve([events({**PLAY, "rescued": '{"new":1}', "source": 3}, {**PLAY, "at": 8})])
    first = written(files).get_column("event_id")[0]
    assert files.staged(RESCUED)[()].rows() == [(first.hex(), '{"new":1}', 3)]


def test_rows_that_come_back_leave_quarantine_whatever_they_are() -> None:
    rows = events({**PLAY, "line_id": "q1"}, {**PLAY, "line_id": "q2"}, {**PLAY, "at": 8, "line_id": "q3"})
    files, _ = resolve([rows], [as_held(events({**PLAY, "at": 8}))])
    assert sorted(files.staged(LEFT)[()].get_column("line_id")) == ["q1", "q2", "q3"]


def test_parcels_of_all_buckets_are_taken_apart() -> None:
    rows = events(*({**PLAY, "user_id": user} for user in range(40)))
    bucket_of = rows.with_columns(bucket=user_bucket(pl.col("user_id"), 4))
    for bucket in range(4):
        files, counts = resolve([rows], bucket=bucket, buckets=4, staged_by_bucket=False)
        mine = bucket_of.filter(pl.col("bucket") == bucket).get_column("user_id").to_list()
        assert 0 < len(mine) < 40
        assert written(files).get_column("user_id").to_list() == sorted(mine)
        assert counts == {("kept", None, MONTH): len(mine)}


_ROW = st.fixed_dictionaries(
    {
        "at": st.integers(0, 2),
        "event_type": st.sampled_from(["PLAY", "ADVERTISEMENT"]),
        "user_id": st.integers(0, 9),
        "session_id": st.integers(0, 1),
        "track_id": st.sampled_from(["a", None]),
        "repair_reason": st.sampled_from([None, None, "user_from_session"]),
    }
)


@pytest.mark.thorough
@settings(max_examples=40)
@given(
    st.lists(st.lists(_ROW, min_size=1), min_size=1, max_size=3), st.lists(_ROW), st.integers(1, 9), st.data()
)
def test_one_set_of_rows_by_a_plain_count(parcels, held, at_once, data) -> None:
    """However rows are cut into parcels and slices, in whatever order: each event once, and all accounted."""
    says = ("at", "event_type", "user_id", "session_id", "track_id")
    flat = [row for parcel in parcels for row in parcel]
    there = {tuple(row[name] for name in says) for row in held}
    expected, seen = Counter(), {}
    for row in flat:
        key = tuple(row[name] for name in says)
        if key not in there:
            seen[key] = min(seen.get(key, "zz"), row["repair_reason"] or "")
    for reason in seen.values():
        expected["repaired" if reason else "kept", reason or None, MONTH] += 1
    if len(flat) > len(seen):
        expected["duplicate", "same_row", None] = len(flat) - len(seen)
    files, counts = resolve(
        [events(*data.draw(st.permutations(parcel))) for parcel in parcels],
        [as_held(events(*held))] if held else [],
        rows_at_once=at_once,
        buckets=data.draw(st.integers(1, 3)),
        staged_by_bucket=True,
    )
    assert counts == expected
    rows = written(files).select("event_time", *says[1:]).rows() if files.written else []
    epoch = datetime(2023, 2, 1, tzinfo=UTC)
    assert sorted(rows, key=repr) == sorted(
        ((epoch + timedelta(seconds=at), *rest) for at, *rest in seen), key=repr
    )
    for *_, frame in files.written:
        order = frame.select("user_id", "event_time").rows()
        assert order == sorted(order)


def test_a_file_of_new_events_notes_what_is_in_it() -> None:
    files, _ = resolve([events(PLAY, {**PLAY, "at": 9, "user_id": 8}, PLAY)])
    ((_, _, frame),), (noted,) = files.written, files.noted
    assert as_note(noted["events"]) == note_of(frame)
    assert note_of(frame).events == 2
