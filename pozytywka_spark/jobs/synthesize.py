"""Make a Pozytywka of any size: raw deliveries of invented users, with the truth beside them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.months import as_utc
from pozytywka_spark.synthetic.scales import SCALES, dirt_settings


class _Setting(argparse.Action):
    """A flag that stands for `--set KEY=value`: settings have one way in, and one set of messages."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        namespace.overrides = [*namespace.overrides, f"{self.const}={values}"]


class _Switch(argparse.Action):
    """A flag without a value that stands for `--set KEY=true`."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        namespace.overrides = [*namespace.overrides, f"{self.const}=true"]


class _Preset(argparse.Action):
    """A flag that stands for many settings; whatever is said besides wins over them."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        setattr(namespace, self.dest, values)
        more = SCALES[values] if self.dest == "scale" else dirt_settings(values)
        namespace.overrides = [*more, *namespace.overrides]


_FLAGS = (
    ("--users", "N", "synthetic.users", "number of users"),
    ("--months", "N", "synthetic.months", "number of months"),
    ("--seed", "N", "synthetic.seed", "the same seed makes the same world"),
    ("--drift", "MONTH", "synthetic.drift.from_month", "everyone hears more adverts from MONTH on"),
    (
        "--experiment",
        "MONTH",
        "synthetic.experiment.from_month",
        "half of the users hear fewer from MONTH on",
    ),
    (
        "--messages",
        "MONTH",
        "synthetic.slots.messages",
        "a logged prompt opens free users' sessions from MONTH on",
    ),
    (
        "--spotlight",
        "MONTH",
        "synthetic.slots.spotlight",
        "a logged artist is shown in sessions from MONTH on",
    ),
    (
        "--fraud",
        "RINGS",
        "synthetic.fraud.rings",
        "rings of accounts that play the same tracks over and over",
    ),
    (
        "--camouflage",
        "SHARE",
        "synthetic.fraud.camouflage",
        "share of ordinary plays among those of a ring",
    ),
    ("--bots", "N", "synthetic.fraud.bots", "lone accounts that loop a few tracks, day and night"),
    ("--skimmers", "N", "synthetic.fraud.skimmers", "accounts that skip after 31 to 36 seconds"),
    ("--hijacked", "N", "synthetic.fraud.hijacked", "accounts in which someone else plays for weeks"),
    ("--quick-buyers", "N", "synthetic.fraud.quick_buyers", "accounts that buy at once, charged back later"),
    ("--fans", "N", "synthetic.fraud.fans", "honest accounts that mostly play one artist"),
    ("--sleepers", "N", "synthetic.fraud.sleepers", "honest accounts that sleep to the same five tracks"),
    ("--feedback", "RATE", "synthetic.feedback.rate", "texts that somebody writes in a month, on average"),
    ("--cut-off", "DATE", "synthetic.taste.cut_off", "tell the true chances of the 28 days after it"),
    ("--quick-stayers", "N", "synthetic.fraud.quick_stayers", "honest accounts that buy at once, and stay"),
)


def parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = cli.job_parser("synthesize", __doc__ or "")
    parser.add_argument(
        "--scale", choices=SCALES, default="small", action=_Preset, help="a named size (default: small)"
    )
    parser.add_argument("--out", metavar="PATH", help="the delivery's folder; its truth goes to PATH_truth")
    parser.add_argument(
        "--dirt",
        nargs="?",
        type=float,
        metavar="RATE",
        action=_Preset,
        help="plant every defect at RATE, or as in the wild; for one: --set synthetic.dirt.DEFECT=RATE",
    )
    for flag, value, key, meaning in _FLAGS:
        parser.add_argument(flag, metavar=value, action=_Setting, const=key, help=f"{meaning} ({key})")
    parser.add_argument(
        "--taste",
        nargs=0,
        action=_Switch,
        const="synthetic.taste.on",
        help="people pick tracks by taste and answer surveys (synthetic.taste.on)",
    )
    parser.add_argument("--replace", action="store_true", help="replace what is at PATH")
    _reviewers(parser.add_argument_group("reviewers, instead of a world"))
    return parser


def _reviewers(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--verdicts",
        metavar="QUEUE",
        help="answer the cases of QUEUE (as `moderation queue` writes it) as people would who mostly know "
        "the truth; the answers go to --out, else to QUEUE_verdicts.jsonl; --seed picks errors and times",
    )
    group.add_argument(
        "--delivery",
        metavar="PATH",
        help="the delivery that the cases are about, whose truth is PATH_truth (default: raw.path)",
    )
    group.add_argument(
        "--error", type=_rate, default=0.0, metavar="RATE", help="chance of a wrong answer (0)"
    )
    group.add_argument("--unsure", type=_rate, default=0.0, metavar="RATE", help="chance of no answer (0)")
    group.add_argument("--reviewers", type=_people, default=8, metavar="N", help="people in the office (8)")
    group.add_argument(
        "--at",
        type=_time,
        metavar="T",
        help="when cases that were answered before are asked again (default: after all that is known)",
    )


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 <= rate <= 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a chance from 0 to 1")
    return rate


def _people(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 999:
        raise argparse.ArgumentTypeError(f"{text}: expected from 1 to 999 people")
    return int(text)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a time such as 2023-05-01T00:00:00") from None
    return as_utc(time)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    return cli.run(parser(), argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """Session, world, summary; or the reviewers' answers."""
    if args.verdicts:
        return _verdicts(args, settings)
    from pozytywka_spark.spark.session_on_demand import session_on_demand
    from pozytywka_spark.synthetic.slots.write import decisions_path
    from pozytywka_spark.synthetic.summary import summary_rows
    from pozytywka_spark.synthetic.world import truth_path, write_world

    out = args.out or settings.raw.path or f"{settings.home}/synthetic/{args.scale}"
    spark = session_on_demand(settings, "synthesize", verbose=args.verbose)
    with cli.step(f"synthesize {out}"):
        write_world(spark, settings, out, replace=args.replace)
    cli.show_table("World", summary_rows(out))
    cli.say(f"truth: {truth_path(out)}")
    if settings.synthetic.slots.messages or settings.synthetic.slots.spotlight:
        cli.say(f"decisions: {decisions_path(out)}")
    cli.say(f"next:  scripts/submit.sh pipeline --set raw.path={out}")
    return 0


def _verdicts(args: argparse.Namespace, settings: Settings) -> int:
    """Answers and what they were; no session."""
    from pozytywka_spark.synthetic.reviewers.answers import Office
    from pozytywka_spark.synthetic.reviewers.play import play

    queue: str = args.verdicts
    out = args.out or f"{queue.removesuffix(PurePosixPath(queue).suffix)}_verdicts.jsonl"
    delivery = args.delivery or settings.raw.path or f"{settings.home}/synthetic/{args.scale}"
    office = Office(args.reviewers, args.error, args.unsure, settings.synthetic.seed)
    with cli.step(f"synthesize {out}"):
        rows = play(queue, out, delivery, office, args.at)
    cli.show_table("Verdicts", rows)
    cli.say(f"next:  scripts/submit.sh moderation verdicts --from {out}")
    return 0
