"""What of docs/ is made from code: the reference, the map of rooms, the life of a row."""
