"""Slots whose arms have seasons."""
from pozytywka_spark.bandits.seasonal.probabilities import probabilities
