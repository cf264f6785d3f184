"""Slots of many arms whose rewards have seasons: an artist on the front page, chosen anew each day.

    from pozytywka_spark.bandits.seasonal import learn, probabilities, season

An arm's log rate is a random walk plus its genre's effects of the calendar. The walk forgets by as much as
rates are seen to change from day to day; arms little known are drawn to their genre. What the calendar does
to a genre is learnt from all its arms, in a year's course, by distance to Easter and by weekday. Arms are
shown as often as they are the best in draws from what is known of all of them together.
"""

from pozytywka_spark.bandits.seasonal.learn import learn
from pozytywka_spark.bandits.seasonal.probabilities import probabilities
from pozytywka_spark.bandits.seasonal.rises import season

__all__ = ["learn", "probabilities", "season"]
