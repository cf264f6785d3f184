"""The search for hyperparameters over rolling folds."""
