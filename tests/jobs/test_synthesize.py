"""The job `synthesize`: flags, refusals, and what it prints."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.running import job, run


def test_a_tiny_world_with_everything(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "delivery"
    flags = ["--scale", "tiny", "--users", "40", "--seed", "5", "--dirt", "--drift", "2022-04"]
    flags += ["--experiment", "2022-02", "--feedback", "1", "--out", str(out)]
    flags += ["--set", "synthetic.truth_paths=2"]
    assert run("synthesize", f"home={tmp_path}", flags=tuple(flags)) == 0
    printed = capsys.readouterr().out
    for figure in ("users", "sessions", "PLAY", "BUY_PREMIUM", "premium users", "size on disk", "texts"):
        assert figure in printed
    assert f"scripts/submit.sh pipeline --set raw.path={out}" in printed
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == [
        "artists", "feedback", "sessions", "track_storage", "tracks", "users"
    ]  # fmt: skip
    assert len((out / "users/part-00000.jsonl").read_text().splitlines()) >= 40
    texts, truth = (folder / "feedback/part-00000.jsonl" for folder in (out, tmp_path / "delivery_truth"))
    written = {json.loads(line)["feedback_id"] for line in truth.read_text().splitlines()}
    assert written == set(re.findall(r'"feedback_id": "([^"]*)"', texts.read_text()))
    assert re.search(r"texts +\S* *" + str(len(written)), printed)
    assert run("synthesize", f"home={tmp_path}", flags=tuple(flags)) == 0
    capsys.readouterr()
    assert run("synthesize", f"home={tmp_path}", flags=(*flags, "--months", "5")) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "choose another folder, or synthesize with --replace" in error


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--users", "many"], "setting synthetic.users='many'"),
        (["--users", "1"], "setting synthetic.users=1: input should be greater than or equal to 10"),
        (["--drift", "2022-13"], "setting synthetic.drift.from_month="),
        (["--dirt", "0.9"], "synthetic.dirt.lower_case_event_type="),
        (["--set", "synthetic.dirt.mud=0.1"], "unknown setting synthetic.dirt.mud"),
        (["--bots", "900", "--fans", "101"], "all its accounts must be at most half of synthetic.users"),
        (["--camouflage", "0.95"], "setting synthetic.fraud.camouflage="),
        (["--fraud", "1000"], "rings x accounts must be at most a quarter of synthetic.users"),
        (["--set", "synthetic.artists=5000"], "must be at most synthetic.tracks"),
    ],
)
def test_wrong_usage_is_one_line(
    flags: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("synthesize", f"home={tmp_path}", flags=tuple(flags)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("error: ")


def test_what_is_said_besides_a_scale_wins_wherever_it_stands(tmp_path: Path) -> None:
    parser_order = (["--users", "77", "--scale", "headline"], ["--scale", "headline", "--users", "77"])
    for flags in parser_order:
        args = job("synthesize").parser().parse_args(flags)
        assert args.overrides.index("synthetic.users=77") > args.overrides.index("synthetic.users=20000")


def test_the_truth_of_cheats_and_reviewers_who_know_it(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "delivery"
    flags = ["--scale", "tiny", "--users", "40", "--out", str(out)]
    flags += ["--bots", "2", "--quick-buyers", "5", "--sleepers", "1", "--set", "synthetic.truth_paths=0"]
    assert run("synthesize", f"home={tmp_path}", flags=tuple(flags)) == 0
    truth = tmp_path / "delivery_truth"
    rows = [json.loads(line) for path in (truth / "accounts").iterdir() for line in path.open()]
    assert Counter(row["kind"] for row in rows) == {"bot": 2, "quick_buyer": 5, "sleeper": 1}
    charged = [json.loads(line) for line in (truth / "chargebacks.jsonl").open()]
    assert charged
    known = {row["user_id"]: row for row in rows}
    for row in charged:
        assert row == {name: known[row["user_id"]][name] for name in row}
        assert row["bought_at"] < row["charged_back_at"]
    bot = next(row for row in rows if row["kind"] == "bot")
    day = bot["starts_at"][:10]
    case = {"case_id": "a", "group": "loops", "accounts": [bot["user_id"]], "day": day, "cut_off": day}
    queue = tmp_path / "queue.jsonl"
    queue.write_text(json.dumps({**case, "opened_at": day, "rules": [], "signals": {}}))
    capsys.readouterr()
    asked = ("--verdicts", str(queue), "--delivery", str(out), "--error", "0")
    assert run("synthesize", f"home={tmp_path}", flags=asked) == 0
    assert "moderation verdicts --from" in capsys.readouterr().out
    answer = json.loads((tmp_path / "queue_verdicts.jsonl").read_text())
    assert (answer["case_id"], answer["verdict"]) == ("a", "bad")
    wrong = (
        *asked[:2],
        "--delivery",
        str(out),
        "--error",
        "1",
        "--out",
        str(tmp_path / "elsewhere/wrong.jsonl"),
    )
    assert run("synthesize", f"home={tmp_path}", flags=wrong) == 0
    assert json.loads((tmp_path / "elsewhere/wrong.jsonl").read_text())["verdict"] == "ok"
