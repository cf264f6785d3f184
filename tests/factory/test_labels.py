"""Labels of cases: what people said by a time, and never what a model decided."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.factory.labels import Said, judged_cases, labels_of
from pozytywka_spark.factory.people import CountErrors
from pozytywka_spark.factory.proof.cases import BAD, NOT_LOOKED, OK, UNSURE
from tests.in_memory import MemoryFiles

WORDS = {"bad": BAD, "ok": OK, "unsure": UNSURE}
UTC = pl.Datetime("us", "UTC")
ANSWERS = {
    "case_id": pl.String,
    "reviewer": pl.String,
    "verdict": pl.String,
    "decided_at": pl.Int64,
    "source": pl.String,
}
LOOKS = {
    "case_id": pl.String,
    "requested_at": pl.Int64,
    "looks": pl.Int32,
    "build_id": pl.String,
    "asked_for": pl.String,
}
DECISIONS = {"case_id": pl.String, "decision": pl.String, "mode": pl.String}

ANN, BEN, CAT = (("Ann", "bad", 5, "person"), ("Ben", "ok", 7, "person"), ("Cat", "ok", 9, "person"))
SILENT = ("silence", "ok", 6, "silence")
CHARGED = ("chargeback", "bad", 8, "chargeback")
CLEARED = ("Dan", "ok", 20, "appeal")


def answers(rows: list[tuple]) -> pl.DataFrame:
    return pl.DataFrame([("a", *row) for row in rows], schema=ANSWERS, orient="row")


def label(rows: list[tuple], looks: list[tuple] = (), at: int = 100) -> tuple | None:
    told = answers(rows).with_columns(pl.col("verdict").replace_strict(WORDS, return_dtype=pl.Int64))
    asked = pl.DataFrame([("a", *row, "b1", "build") for row in looks], schema=LOOKS, orient="row")
    found = labels_of(told, asked, at).select("verdict", "decided_at", "looked", "delayed").rows()
    return found[0] if found else None


@pytest.mark.parametrize(
    ("rows", "looks", "at", "expected"),
    [
        ([], [], 100, None),
        ([ANN, BEN], [], 100, (BAD, 5, NOT_LOOKED, BAD)),
        ([BEN, ANN], [], 4, None),
        ([ANN, BEN, CAT], [], 100, (BAD, 5, NOT_LOOKED, BAD)),  # nobody asked again
        ([ANN, BEN, CAT], [(6, 3)], 100, (BAD, 5, OK, BAD)),
        ([ANN, BEN, CAT], [(6, 3)], 8, (BAD, 5, NOT_LOOKED, BAD)),
        ([ANN, BEN, CAT], [(30, 3)], 25, (BAD, 5, NOT_LOOKED, BAD)),
        ([ANN, BEN, ("Cat", "unsure", 9, "person")], [(6, 3)], 100, (BAD, 5, UNSURE, BAD)),
        ([("Ann", "unsure", 5, "person")], [], 100, (UNSURE, 5, NOT_LOOKED, UNSURE)),
        ([("Ann", "unsure", 5, "person"), BEN], [], 100, (OK, 7, NOT_LOOKED, OK)),
        # neither chargeback nor silence nor appeal is one of three looks
        ([ANN, BEN, CHARGED], [(6, 3)], 100, (BAD, 5, NOT_LOOKED, BAD)),
        ([ANN, CHARGED, BEN, CAT], [(6, 3)], 100, (BAD, 5, OK, BAD)),
        ([CHARGED], [], 100, (BAD, 8, NOT_LOOKED, None)),
        ([SILENT], [], 100, (OK, 6, NOT_LOOKED, None)),
        ([SILENT, CHARGED], [], 100, (OK, 6, NOT_LOOKED, None)),
        ([SILENT, ("chargeback", "bad", 6, "chargeback")], [], 100, (BAD, 6, NOT_LOOKED, None)),
        # an appeal that was upheld
        ([ANN, CLEARED], [], 100, (OK, 5, NOT_LOOKED, BAD)),
        ([ANN, CLEARED], [], 19, (BAD, 5, NOT_LOOKED, BAD)),
        ([ANN, ("Ben", "bad", 7, "person"), CAT, CLEARED], [(6, 3)], 100, (BAD, 5, OK, BAD)),
        ([CLEARED], [], 100, (OK, 20, NOT_LOOKED, None)),
        ([("model", "bad", 2, "model")], [], 100, None),
        ([("model", "ok", 2, "model"), ANN], [], 100, (BAD, 5, NOT_LOOKED, BAD)),
    ],
)
def test_the_label(rows, looks, at, expected) -> None:
    assert label(rows, looks, at) == expected


CASES = ["a", "b", "c"]
answer = st.tuples(
    st.sampled_from(CASES),
    st.sampled_from(["Ann", "Ben", "Cat", "Dan"]),
    st.sampled_from(list(WORDS)),
    st.integers(0, 50),
    st.sampled_from(["person", "chargeback", "silence", "appeal"]),
)
decision = st.tuples(
    st.sampled_from(CASES),
    st.sampled_from(["refuse", "approve", "person"]),
    st.sampled_from(["live", "shadow", "audit"]),
)
models = st.tuples(
    st.sampled_from(CASES),
    st.just("model"),
    st.sampled_from(list(WORDS)),
    st.integers(0, 50),
    st.just("model"),
)


def judged(
    told: list[tuple],
    decided: list[tuple],
    live: tuple = (),
    build_id: str = "",
    asked_for: str | None = None,
    *,
    watches: bool = False,
) -> pl.DataFrame:
    files = MemoryFiles()

    def put(rows: list[tuple], schema: dict) -> tuple:
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        times = [name for name in schema if name.endswith("_at")]
        return (files.put_file(frame.with_columns(pl.col(name).cast(UTC) for name in times), {}),)

    said = Said(
        put(told, ANSWERS),
        (),
        (),
        put(decided, DECISIONS),
        put([(case, 9, 3, "b1", asked_for) for case in CASES], LOOKS),
        60,
        live,
        build_id,
        watches,
    )
    return judged_cases(
        pl.DataFrame({"case_id": CASES, "group": ["x", "x", "y"], "opened_at": [5, 10, 10]}), said, files
    ).sort("case_id")


@pytest.mark.thorough
@given(st.lists(answer, max_size=12), st.lists(decision, max_size=6), st.lists(models, max_size=3))
def test_what_a_model_decided_is_never_a_label(told, decided, by_models) -> None:
    plain, both = judged(told, []), judged([*told, *by_models], decided)
    assert both.drop("testable").equals(plain.drop("testable"))
    assert plain["testable"].all()
    live = {case for case, _, mode in decided if mode == "live"}
    audited = {case for case, _, mode in decided if mode == "audit"}
    assert [not each for each in both["testable"]] == [case in live - audited for case in CASES]


def test_while_a_side_is_live_only_audits_test_later_builds() -> None:
    live = (("x", 6, 12),)
    assert judged([], [], live)["testable"].to_list() == [True, False, True]
    assert judged([], [("b", "refuse", "audit")], live)["testable"].all()
    assert judged([], [("b", "refuse", "shadow")], live)["testable"].to_list() == [True, False, True]


def test_a_builds_own_second_looks_do_not_count_when_it_runs_again() -> None:
    told = [("a", *row) for row in (ANN, BEN, CAT)]
    assert judged(told, [])["looked"][0] == OK
    assert judged(told, [], (), "b1")["looked"][0] == NOT_LOOKED


@pytest.mark.parametrize(("asked_for", "of_builds"), [(None, OK), ("build", OK), ("watch", NOT_LOOKED)])
def test_a_build_counts_what_builds_asked_for(asked_for: str | None, of_builds: int) -> None:
    told = [("a", *row) for row in (ANN, BEN, CAT)]
    row = judged(told, [], asked_for=asked_for).row(0, named=True)
    assert (row["looked"], row["asked_at"]) == (of_builds, 9 if of_builds == OK else None)
    assert judged(told, [], asked_for=asked_for, watches=True)["looked"][0] == OK


def test_only_people_err() -> None:
    files = MemoryFiles()
    rows = [("a", *row) for row in (ANN, BEN, ("Cat", "bad", 9, "person"), CHARGED, CLEARED)]
    rows += [("b", *row) for row in (ANN, CHARGED, CLEARED)]
    told = pl.DataFrame(rows, schema=ANSWERS, orient="row").with_columns(pl.col("decided_at").cast(UTC))
    asked = pl.DataFrame({"case_id": ["a", "b", "a"], "build_id": ["b1", "b1", "own"]})
    verdicts, looks = files.put_file(told, {}), files.put_file(asked, {})
    assert list(CountErrors(100, "own")([((verdicts,), (looks,))], files)) == [{"answers": 2, "wrong": 1}]
