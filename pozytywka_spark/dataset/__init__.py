"""The training set: features beside labels, split by time, guarded, as arrays that questions are put to."""
