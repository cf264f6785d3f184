"""What people of a made world write to it: texts in three languages, and the truth about each."""
