"""What features of genre groups and languages bring: worlds with families of genres, and without.

    python -m tests.bench.bench_families [--users 6000] [--months 20] [--seeds 1 2 3 4 5]
        [--families false true] [--each] [--home FOLDER] [--out FILE]

Each world is made, ingested, its genres grouped, its features built; trees grow on the rows that `train`
would be given (`plain_models`): with the catalogue of every lake (`without`), with what models are given of
the optional features (`default`), with all of them (`all`), and with `--each` with the default and each of
the others. A line of JSON a world: ROC AUC of the test months, mean over several draws of the trees, beside
the reachable one, that of the true probabilities.

`expected` is the ROC AUC were the labels drawn again and again: each row counts as a buyer's by its true
probability and as another's by the rest. It measures the same without the luck of few buyers. `closed`: of
the gap between the catalogue without and the reachable, the share that the default closes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sklearn.metrics import roc_auc_score

from pozytywka_spark.config import Settings
from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.features.declared.groups import FEATURES as OPTIONAL
from tests.bench.feature_study import auc_of, buyers, expected_auc, make_world, read, settings_of, tell
from tests.bench.kept_worlds import worlds

PLAIN = tuple(each.name for each in CATALOGUE)
DEFAULT = tuple(each.name for each in OPTIONAL if each.by_default)
ALL = (*PLAIN, *(each.name for each in OPTIONAL))


def study(settings: Settings, draws: int, *, each: bool) -> dict[str, Any]:
    """What was measured of a world."""
    sides, probability = read(settings, ALL)
    sets = {"without": PLAIN, "default": (*PLAIN, *DEFAULT), "all": ALL}
    if each:
        sets |= {one: (*PLAIN, *DEFAULT, one) for one in ALL if one not in (*PLAIN, *DEFAULT)}
    auc, expected = {}, {}
    for name, chosen in sets.items():
        pair = auc_of(sides, chosen, probability, draws)
        auc[name], expected[name] = round(pair[0], 5), round(pair[1], 5)
    auc["reachable"] = round(float(roc_auc_score(sides["test"]["label"], probability)), 5)
    expected["reachable"] = round(expected_auc(probability, probability), 5)
    gap = expected["reachable"] - expected["without"]
    return {
        "rows": buyers(sides),
        "auc": auc,
        "expected": expected,
        "closed": round((expected["default"] - expected["without"]) / gap, 3),
    }


def main() -> None:
    """Parse, make and measure each world."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=6000)
    parser.add_argument("--months", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--families", nargs="+", default=["false", "true"], choices=["false", "true"])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--home", type=Path, help="keep the worlds here, and use those that are there")
    parser.add_argument("--out", type=Path, help="append the lines here too")
    args = parser.parse_args()
    with worlds(args.home) as home:
        for families in args.families:
            for seed in args.seeds:
                here = home / f"{args.users}-{args.months}-{families}-{seed}"
                with_families = f"synthetic.families={families}"
                settings = settings_of(here, args.users, args.months, seed, with_families)
                make_world(settings, groups=True)
                found = study(settings, args.draws, each=args.each)
                told = {"families": families, "seed": seed, "users": args.users, "months": args.months}
                tell(told | found, args.out)


if __name__ == "__main__":
    main()
