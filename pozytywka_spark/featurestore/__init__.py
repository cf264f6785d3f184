"""The way out of the lake: values of features, traceable; training sets as of any moment; online reads."""
