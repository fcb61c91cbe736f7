"""A model's head with its calibration: columns by name, and probabilities softened by the temperature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from heads_data import vector_table
from package_data import small_model

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.features.spec import CaseFeatures, FeatureTable
from SegClassifyLib.heads.base import probabilities
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.package.decision import Decision
from SegClassifyLib.package.model import Model
from SegClassifyLib.volumes.observation import Observation

SEEN = Observation((1.0,), (1.0,), ((0.0, 0.0, 0.0, 0.0, 1.0),), {})


def fitted() -> tuple[Model, LinearHead, FeatureTable]:
    """A model whose head saw every second feature of the table."""
    y = np.arange(30) % 2
    table = vector_table(y, signal=3)
    head = LinearHead().fit(table.columns(np.arange(20) % 2 == 0), y, np.arange(30))
    return replace(small_model(), head=head.to_state(), temperature=2.5), head, table


def cases_of(table: FeatureTable) -> list[CaseFeatures]:
    """One case a row, with maps that a linear head must not drag along."""
    return [CaseFeatures(table.names, row, {"deep": np.zeros((1, 2, 2))}, SEEN) for row in table.X]


def test_columns_are_found_by_name_and_logits_divided_by_the_temperature() -> None:
    model, head, table = fitted()
    backwards = np.arange(20)[::-1]
    turned = FeatureTable(tuple(table.names[i] for i in backwards), table.X[:, backwards], {})
    decision = Decision(model)
    asked = decision.table(cases_of(turned))
    assert asked.names == head.names and not asked.maps
    expected = probabilities(head.logits(table.select(head.names)) / 2.5)
    np.testing.assert_allclose(decision.probabilities(asked), expected)


def test_a_missing_feature_is_said_in_a_sentence() -> None:
    model, head, table = fitted()
    fewer = table.columns(np.asarray([name != head.names[3] for name in table.names]))
    with pytest.raises(
        ModelPackageError, match=rf"Tumour type wants the feature .*{head.names[3].channel}\]"
    ):
        Decision(model).table(cases_of(fewer))


def test_a_model_that_only_segments_has_no_decision() -> None:
    with pytest.raises(ModelPackageError, match="has no classifier"):
        Decision(replace(small_model(), head=None, classes=()))
