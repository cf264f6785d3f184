"""The job `synthesize`: flags, refusals, and what it prints."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.running import job, run


def test_a_tiny_world_with_everything(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "delivery"
    flags = ["--scale", "tiny", "--users", "40", "--seed", "5", "--dirt", "--drift", "2022-04"]
    flags += ["--experiment", "2022-02", "--out", str(out)]
    assert run("synthesize", f"home={tmp_path}", flags=tuple(flags)) == 0
    printed = capsys.readouterr().out
    for figure in ("users", "sessions", "PLAY", "BUY_PREMIUM", "premium users", "size on disk"):
        assert figure in printed
    assert f"scripts/submit.sh pipeline --set raw.path={out}" in printed
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == [
        "artists", "sessions", "track_storage", "tracks", "users"
    ]  # fmt: skip
    assert len((out / "users/part-00000.jsonl").read_text().splitlines()) >= 40
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
