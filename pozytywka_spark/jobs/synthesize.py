"""Make a Pozytywka of any size: raw deliveries of invented users, with the truth beside them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.synthetic.scales import SCALES, dirt_settings


class _Setting(argparse.Action):
    """A flag that stands for `--set KEY=value`: settings have one way in, and one set of messages."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        namespace.overrides = [*namespace.overrides, f"{self.const}={values}"]


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
        "--fraud",
        "RINGS",
        "synthetic.fraud.rings",
        "rings of accounts that play the same tracks over and over",
    ),
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
    parser.add_argument("--replace", action="store_true", help="replace what is at PATH")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    return cli.run(parser(), argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """Session, world, summary."""
    from pozytywka_spark.spark.session_on_demand import session_on_demand
    from pozytywka_spark.synthetic.summary import summary_rows
    from pozytywka_spark.synthetic.world import truth_path, write_world

    out = args.out or settings.raw.path or f"{settings.home}/synthetic/{args.scale}"
    spark = session_on_demand(settings, "synthesize", verbose=args.verbose)
    with cli.step(f"synthesize {out}"):
        write_world(spark, settings, out, replace=args.replace)
    cli.show_table("World", summary_rows(out))
    cli.say(f"truth: {truth_path(out)}")
    cli.say(f"next:  scripts/submit.sh pipeline --set raw.path={out}")
    return 0
