"""The words of moderation's tables, each spelt once."""

from __future__ import annotations

from pozytywka_spark.months import DAY_MICROS

# what a case is said to be
BAD, OK, UNSURE = "bad", "ok", "unsure"
VERDICT_WORDS = (BAD, OK, UNSURE)

# where an answer comes from
PERSON, CHARGEBACK, SILENCE, APPEAL = "person", "chargeback", "silence", "appeal"
MODEL = "model"
RESERVED = (SILENCE, MODEL)  # no reviewer may be called so

# decisions of models: only live ones are ever carried out
LIVE = "live"
STOPPED = "stopped"  # the state of a side whose decisions are held back
REFUSE, APPROVE = "refuse", "approve"

UPHELD, REJECTED = "upheld", "rejected"
APPEAL_WORDS = (UPHELD, REJECTED)

STEP_DAYS, APPEAL_DAYS = 180, 183
STEP_MICROS, APPEAL_MICROS = STEP_DAYS * DAY_MICROS, APPEAL_DAYS * DAY_MICROS
