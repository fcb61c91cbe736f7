"""Images and label maps: reading, writing, geometry, orientation, resampling, overlays."""
