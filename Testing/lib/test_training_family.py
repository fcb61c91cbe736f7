"""Segmenter and fold segmenters in one folder."""

from __future__ import annotations

from pathlib import Path

from package_data import small_model, without_head

from SegClassifyLib.training.family import FoldSegmenter, SegmenterFamily, open_family, save_family


def test_folds_are_found_again(tmp_path: Path) -> None:
    model = without_head(small_model())
    save_family(SegmenterFamily(model, (FoldSegmenter(model, frozenset({"aa", "bb"})),)), tmp_path)
    opened = open_family(tmp_path)
    assert [fold.held_out for fold in opened.folds] == [{"aa", "bb"}]
    assert opened.fold_without("bb") == 0
    assert opened.fold_without("cc") is None


def test_folds_of_an_earlier_training_do_not_count(tmp_path: Path) -> None:
    model = without_head(small_model())
    save_family(SegmenterFamily(model, (FoldSegmenter(model, frozenset({"aa"})),)), tmp_path)
    save_family(SegmenterFamily(model), tmp_path)
    assert open_family(tmp_path).folds == ()
