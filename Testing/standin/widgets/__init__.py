"""Stand-ins of CTK's and Slicer's widgets; importing them enters them in the table of classes."""

from standin.widgets import boxes, collapsible, node_combo, numbers, paths, scene_widgets, segment_editor

__all__ = ["boxes", "collapsible", "node_combo", "numbers", "paths", "scene_widgets", "segment_editor"]
