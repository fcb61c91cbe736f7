"""Made-up images with known truth, for the demo, the tutorials and the tests."""
