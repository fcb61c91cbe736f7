"""Native grid to model grid, and back."""
