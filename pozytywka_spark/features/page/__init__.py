"""The page of features and the page of the catalogue."""
