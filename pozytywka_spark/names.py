"""Names that every stage shares, without Spark: event types, audio features, classes of storage."""

PLAY = "PLAY"
SKIP = "SKIP"
LIKE = "LIKE"
ADVERTISEMENT = "ADVERTISEMENT"
BUY_PREMIUM = "BUY_PREMIUM"
EVENT_TYPES = (PLAY, SKIP, LIKE, ADVERTISEMENT, BUY_PREMIUM)

AUDIO_FEATURES = (
    "danceability",
    "energy",
    "loudness",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
)

STORAGE_CLASSES = ("SLOW", "MEDIUM", "FAST")
