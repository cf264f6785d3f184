"""Files, wherever tables are: the one layer over local folders and object stores."""
