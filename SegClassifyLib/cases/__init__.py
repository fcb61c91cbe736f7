"""The training set on disk: a folder of cases with a dataset.json."""
