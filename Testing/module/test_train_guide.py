"""The page Train: counts, and sentences on what is to be put right with buttons that help."""

from __future__ import annotations

from typing import Any

import standin
from set_fakes import finding, set_info
from train_stage import settle, small_set, train_page


def sentences(shown: Any) -> list[tuple[str, str]]:
    """What the guide says, and what the button beside it is called."""
    told = []
    for row in shown.train.guide._rows:
        labels = [c for c in row.children() if c.className() == "QLabel"]
        buttons = [c for c in row.children() if c.className() == "QPushButton"]
        told.append((labels[-1].text, buttons[0].text if buttons else ""))
    return told


def button(shown: Any, number: int) -> Any:
    """The button beside a sentence."""
    return next(c for c in shown.train.guide._rows[number].children() if c.className() == "QPushButton")


FINDINGS = (
    ("duplicate", "alpha and beta hold the same image; remove one.", ("alpha", "beta"), "error"),
    ("no class", "Case 'case 10' has no class; say it.", ("case 10",), "info"),
    ("few groups", "The class 'glioma' has 2 cases of 1 patient; add others.", (), "warning"),
    ("orphan file", "images/x.nrrd belongs to no case.", (), "info"),
)


def test_each_finding_has_a_button_that_helps() -> None:
    found = tuple(finding(*one) for one in FINDINGS)
    with train_page(small_set(), findings=found) as shown:
        assert sentences(shown) == [
            (FINDINGS[0][1], "Show cases"),
            (FINDINGS[1][1], "Give classes"),
            (FINDINGS[2][1], "Add a case"),
            (FINDINGS[3][1], ""),
        ]
        shown.train.cases.ui.filterEdit.text = "nothing has this"
        button(shown, 0).click()
        assert [row.name for row in shown.train.cases.selected] == ["alpha", "beta"]
        assert shown.train.cases.ui.filterEdit.text == ""
        button(shown, 1).click()
        assert [row.name for row in shown.train.cases.selected] == ["case 10"]
        button(shown, 2).click()
        assert shown.train.ui.addSection.collapsed is False


def test_counts_are_told_and_follow_a_change() -> None:
    with train_page(small_set()) as shown:
        assert shown.train.guide.ui.guideCounts.text.splitlines() == [
            "3 cases of 2 patients; 1 with a checked segmentation",
            "glioma: 1 case, 1 patient",
            "meningioma: 1 case, 1 patient",
            "metastasis: no case",
            "without a class: 1 case",
            "segmentation to be checked: 1 case",
        ]
        shown.train.cases.change(["case 10"], class_name="metastasis", split="train")
        settle(shown)
        assert "metastasis: 1 case, 1 patient" in shown.train.guide.ui.guideCounts.text
        assert "without a class" not in shown.train.guide.ui.guideCounts.text


def test_many_findings_are_folded() -> None:
    many = tuple(finding("odd spacing", f"Case {n} is odd.", (f"c{n}",)) for n in range(9))
    with train_page(small_set(), findings=many) as shown:
        more = shown.train.guide.ui.moreFindingsButton
        assert (len(sentences(shown)), more.text) == (6, "Show 3 more")
        more.click()
        assert (len(sentences(shown)), more.text) == (9, "Show fewer")


def test_every_image_is_read_when_asked_for_and_that_can_be_cancelled() -> None:
    from SegClassifyLib.worker.protocol import JobProgress

    with train_page(small_set()) as shown:
        worker, ui = shown.logic.set_worker, shown.train.guide.ui
        worker.held = ("check_set",)
        ui.checkImagesButton.click()
        shown.settle()
        ((params, _done, _failed, progress),) = worker.waiting
        assert params.pixels is True and ui.guideProgressFrame.visible and not ui.checkImagesButton.visible
        progress(JobProgress(1, "Checking", 1, 3, "", 75.0))
        assert "1 of 3" in ui.guidePhaseLabel.text and "left" in ui.guidePhaseLabel.text
        ui.guideCancelButton.click()
        shown.settle()
        assert ui.guideStatus.text == "The check was cancelled."
        assert ui.guideProgressFrame.visible is False and ui.checkImagesButton.enabled
        worker.held = ()
        ui.checkImagesButton.click()
        shown.settle()
        assert "Every image was read." in ui.guideStatus.text


def test_what_only_the_images_told_stays_until_its_case_goes() -> None:
    found = (finding("duplicate", "alpha and beta are the same.", ("alpha", "beta"), "error"),)
    deep = tuple(finding("odd intensities", f"{name} is dark.", (name,)) for name in ("alpha", "beta"))
    with train_page(small_set(), findings=found, deep=deep) as shown:
        shown.train.guide.ui.checkImagesButton.click()
        settle(shown)
        assert [text for text, _button in sentences(shown)] == [
            "alpha is dark.",
            "beta is dark.",
            "alpha and beta are the same.",
        ]
        shown.train.cases.select(["alpha"])
        shown.train.cases.remove()
        settle(shown)
        assert [text for text, _button in sentences(shown)] == [
            "alpha and beta are the same.",
            "beta is dark.",
        ]
        assert "check again in the end" in shown.train.guide.ui.guideStatus.text


def test_an_empty_set_has_no_class_yet() -> None:
    with train_page(set_info(classes=())) as shown:
        assert shown.train.guide.ui.guideCounts.text == "There is no case yet."
        assert shown.train.guide.ui.checkImagesButton.enabled is False
        assert standin.record.messages == []
