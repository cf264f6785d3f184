"""Names that every stage shares: event types, audio features, storage classes, sides of a time split."""

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

# Where people write to us
FEEDBACK_CHANNELS = ("nps", "support", "comment")

# The Spark session of whoever opens a lake in a notebook
NOTEBOOKS = "library"

# Sides of a time split, and the columns of a training row that hold its side and its label
TRAIN = "train"
VALIDATION = "validation"
TEST = "test"
SIDE = "side"
LABEL = "label"

# What the feed foretells of a user and a track, in this order: its columns of chances
HEADS = ("finish", "skip", "like", "again")

# How users are grouped wherever groups are shown (`dataset.subgroups` has their edges), and not at all
SUBGROUPS = ("city", "tenure", "activity")
UNGROUPED = "all"
# One more where a lake has groups of genres: the measure and feature with the code of the one played most
TOP_GROUP = "top_group"

# The keys of user_month, features and labels
USER_MONTH = ("user_id", "month")

# What the address of an MLflow store begins with that is a file
SQLITE = "sqlite:///"
