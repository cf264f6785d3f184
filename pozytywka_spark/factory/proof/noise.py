"""What people's errors do to a share of wrong decisions: what verdicts show of it, and what they add.

A case that the model decides wrongly is seen as wrong if the first verdict was right and the two others
weren't both wrong. A case that it decides rightly is seen as wrong if the first verdict was wrong, and one of
the two others at least. These come to a small share of the cases whose wrong first verdict the others
overturned, which are counted: so little is allowed for that isn't there, and of people's share of errors a
lower bound is taken. All this holds if people err apart from the model; where hard cases lead several of them
astray, more is seen as wrong than is allowed for, which errs on the safe side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from pozytywka_spark.factory.proof.binomial import Floats

MOST_NOISE = 0.1  # people who err more often than that prove nothing
Share = TypeVar("Share", float, Floats)


@dataclass(frozen=True)
class Noise:
    """The share of wrong verdicts: as it was found, and at `least`. With 0 verdicts are taken as they are."""

    share: float = 0.0
    least: float = 0.0

    def or_as_much(self, overturned: float) -> Noise:
        """People's errors where others found so large a share of all first verdicts wrong."""
        return replace(self, share=max(self.share, min(overturned, MOST_NOISE)))

    def seen(self) -> float:
        """Of wrong decisions the share that verdicts show."""
        return (1.0 - self.share) * (1.0 - self.share**2)

    def upheld(self) -> float:
        """Wrong first verdicts that others uphold, for each that they overturn."""
        return 1.0 / (1.0 - self.least) ** 2 - 1.0

    def visible(self, limit: float, overturned: Share) -> Share:
        """The share seen as wrong where `limit` is, if in a share `overturned` the first verdict was."""
        return limit * self.seen() + overturned * self.upheld()

    def at_first(self, limit: float) -> float:
        """The share seen as wrong where `limit` is, by first verdicts."""
        return limit * (1.0 - self.share) + (1.0 - limit) * self.share

    def after_looks(self, limit: float) -> float:
        """The same once people who err alike have looked again at all that first verdicts speak against."""
        return limit * self.seen() + (1.0 - limit) * self.share * (1.0 - (1.0 - self.share) ** 2)

    def true(self, visible: float, overturned: float) -> float:
        """The share of wrong decisions where so many are seen as wrong."""
        return max(0.0, (visible - overturned * self.upheld()) / self.seen())

    def without(self, share: float) -> float:
        """The share of true errors where first verdicts show `share`, wrong either way."""
        return max(0.0, (share - self.share) / (1.0 - 2.0 * self.share))


NOBODY_ERRS = Noise()
