"""The one pass: labels and features from a single run of the segmenter."""
