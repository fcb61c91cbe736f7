"""The training set on disk: open it, add, change and remove cases, safely beside other processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal

from SegClassifyLib.cases import edits, intake, rules, trash
from SegClassifyLib.cases.document import FILE_NAME, read_document
from SegClassifyLib.cases.exchange import SegmentationExchange
from SegClassifyLib.cases.files import storage_errors
from SegClassifyLib.cases.intake import Check, CopyMode, Incoming
from SegClassifyLib.cases.names import safe_name
from SegClassifyLib.cases.reader import find_case
from SegClassifyLib.cases.rules import NewClass
from SegClassifyLib.cases.schema import Case, DatasetFile, OwnPart, Role, Split
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.volumes.image import Label


class Keep(Enum):
    """The one value :data:`KEEP`: leave a field of a case as it is."""

    KEEP = "keep"


KEEP = Keep.KEEP
Duplicates = Literal["refuse", "allow"]


class TrainingSet(SegmentationExchange):
    """A folder of cases with a ``dataset.json``. Make one with :meth:`create` or :meth:`open`.

    What is read is the state when it was opened, last changed or reloaded; every change first takes up what
    other processes have written.

    Args:
        folder: where ``dataset.json`` is.
        document: its content.
        lock_timeout: seconds to wait for another writer.

    Example:
        >>> tumours = TrainingSet.create(folder, "Tumours", ["T1"], ["tumour"], ["glioma"])  # doctest: +SKIP
        >>> tumours.add("alpha", ["t1.nii.gz"], "mask.nii.gz", "glioma", group="alpha")  # doctest: +SKIP
    """

    @classmethod
    def create(
        cls,
        folder: Path | str,
        name: str,
        channels: Sequence[str],
        labels: Sequence[Label] | Sequence[str],
        classes: Sequence[str] = (),
        *,
        description: str = "",
        reference: str = "",
        licence: str = "",
    ) -> TrainingSet:
        """Make an empty training set; the folder may exist, but hold no ``dataset.json``.

        Args:
            folder: where.
            name: what people call it.
            channels: channel names in the model's order.
            labels: names for the values 1, 2, … (a first "background" is value 0), or labels as they are.
            classes: classes of whole cases; more can be added later.
            description, reference, licence: as in a Decathlon ``dataset.json``.

        Raises:
            TrainingSetError: names missing or double, labels with a gap, a set is there already, not writable.
        """
        folder = Path(folder)
        all_labels = rules.complete_labels(labels)
        for what, names in (
            ("channel", channels),
            ("class", classes),
            ("label", [x.name for x in all_labels]),
        ):
            rules.refuse_bad_names(what, names)
        if not channels:
            raise TrainingSetError(
                f"The training set {folder} needs at least one channel; name its images (T1, FLAIR, …)."
            )
        document = DatasetFile(
            name=name,
            description=description,
            reference=reference,
            licence=licence,
            modality={str(n): channel for n, channel in enumerate(channels)},
            labels={str(x.value): x.name for x in all_labels},
            segclassify=OwnPart(
                classes=tuple(classes), label_colours={str(x.value): x.colour for x in all_labels if x.value}
            ),
        )
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        training_set = cls(folder, document)
        with training_set._lock.held():
            if (folder / FILE_NAME).exists():
                raise TrainingSetError(
                    f"{folder} already holds a {FILE_NAME}; open it, or choose another folder."
                )
            training_set._save(document)
        return training_set

    @classmethod
    def open(cls, folder: Path | str, lock_timeout: float = 30.0) -> TrainingSet:
        """Open a training set; raises TrainingSetError if there is none, or it is damaged or too new."""
        folder = Path(folder)
        if folder.name == FILE_NAME:
            folder = folder.parent
        return cls(folder, read_document(folder), lock_timeout)

    def add(
        self,
        name: str,
        images: Sequence[Path | str],
        segmentation: Path | str | None = None,
        label_class: str | None = None,
        group: str | None = None,
        role: Role = "both",
        split: Split = "train",
        segmentation_is_prediction: bool = False,
        *,
        mode: CopyMode = "copy",
        check: Check = "full",
        new_class: NewClass = "refuse",
        duplicates: Duplicates = "refuse",
        label_values: Mapping[int, int] | None = None,
    ) -> Case:
        """Take a case into the set. When this returns, the case is on the disk.

        Args:
            name: made fit for a file name (see :func:`SegClassifyLib.cases.names.safe_name`).
            images: one file or DICOM folder a channel, in the set's order.
            segmentation: label map on the image's grid.
            label_class: its class; ``None`` while nobody has said.
            group: what must not be split across folds, usually the patient.
            role: what it may be used for.
            split: train, or kept for a final test.
            segmentation_is_prediction: nobody has corrected the segmentation yet.
            mode: ``copy`` files into the folder, ``link`` them, or ``reference`` them where they are.
            check: ``none`` skips all checks of the segmentation's content.
            new_class: ``add`` a class that the set does not know, or ``refuse`` it.
            duplicates: ``allow`` an image whose pixels are in the set already, or ``refuse`` it.
            label_values: value in the segmentation file → value in the set (``{255: 1}``).

        Raises:
            TrainingSetError: the case does not fit the set, the name is taken, or the disk refused; the
                set is as it was.
            ImageError: a file cannot be read, or the segmentation is on another grid.
        """
        name = safe_name(name)
        rules.refuse_taken_name(self._document, name, self.folder)
        rules.with_class(self._document, name, label_class, new_class)
        paths = [Path(p) for p in images]
        image = intake.read_images(name, paths, self.channels)
        incoming = intake.incoming_images(name, paths, self.channels, mode)
        mask = None
        if segmentation is not None:
            like = image.geometry if check == "full" else None
            mask = intake.incoming_segmentation(
                name, Path(segmentation), self.labels, like, mode, label_values
            )
        image_hash = image.content_hash()
        fields: dict[str, Any] = {
            "name": name, "label_class": label_class, "group": group, "role": role, "split": split,
            "segmentation_is_prediction": segmentation_is_prediction, "image_hash": image_hash,
            "storage": "reference" if mode == "reference" else "own",
        }  # fmt: skip
        rules.make_case(images=("checked before the slow work",), **fields)
        with self._changing() as document:
            rules.refuse_taken_name(document, name, self.folder)
            rules.refuse_other_dimension(document, name, image)
            if duplicates == "refuse":
                rules.refuse_same_image(document, name, image_hash)
            document = rules.with_class(document, name, label_class, new_class)
            if not document.cases:
                size = f"{rules.dimension_of(image.geometry)}D"
                document = document.model_copy(update={"tensor_image_size": size})
            with self._settling() as settle:
                stored = [
                    settle(item, f"images/{stem}")
                    for item, stem in zip(incoming, _stems(name, incoming), strict=True)
                ]
                stored_mask = settle(mask, f"labels/{name}") if mask else None
                case = rules.make_case(images=tuple(stored), segmentation=stored_mask, **fields)
                self._save(document.with_cases((*document.cases, case)))
        return case

    def change(
        self,
        name: str,
        *,
        label_class: str | Keep | None = KEEP,
        group: str | Keep | None = KEEP,
        role: Role | Keep = KEEP,
        split: Split | Keep = KEEP,
        segmentation: Path | str | Keep | None = KEEP,
        segmentation_is_prediction: bool | Keep = KEEP,
        mode: CopyMode = "copy",
        check: Check = "full",
        new_class: NewClass = "refuse",
        label_values: Mapping[int, int] | None = None,
    ) -> Case:
        """Change what is said of a case, or give it another segmentation; ``None`` takes something away.

        A new segmentation counts as a person's unless ``segmentation_is_prediction`` says otherwise;
        the old file goes to ``.trash``. Arguments and errors are those of :meth:`add`.
        """
        mask = None
        if isinstance(segmentation, (str, Path)):
            case = self.case(name)
            like = self.load_image(case).geometry if check == "full" else None
            mask = intake.incoming_segmentation(
                case.name, Path(segmentation), self.labels, like, mode, label_values
            )
        given = {
            "label_class": label_class, "group": group, "role": role, "split": split,
            "segmentation_is_prediction": segmentation_is_prediction,
        }  # fmt: skip
        update: dict[str, Any] = {key: value for key, value in given.items() if value is not KEEP}
        if segmentation is KEEP:
            self.rewrite(lambda d: edits.with_changes(d, self.folder, {name: update}, new_class))
            return self.case(name)
        update.setdefault("segmentation_is_prediction", False)
        return self._exchange(name, mask, update, new_class).after

    def remove(self, name: str) -> Case:
        """Take a case out of the set; its files go to ``.trash`` and :meth:`restore` brings it back."""
        with self._changing() as document:
            case = find_case(document, name, self.folder)
            with storage_errors(self.folder):
                trashed = trash.write_entry(self.folder, case)
            self._save(document.with_cases(tuple(c for c in document.cases if c.name != case.name)))
            with storage_errors(self.folder):
                trash.move_files(self.folder, trashed)
        return case

    def restore(self, name: str) -> Case:
        """Bring back the latest removed case of that name.

        Raises:
            TrainingSetError: none was removed, its files are gone, or the name is in use again.
        """
        with self._changing() as document:
            trashed = trash.find(self.folder, name)
            if trashed is None:
                raise TrainingSetError(
                    f"No removed case {name!r} is in {self.folder / trash.TRASH}; check the name."
                )
            rules.refuse_taken_name(document, trashed.case.name, self.folder)
            document = rules.with_class(document, trashed.case.name, trashed.case.label_class, "add")
            with self._settling() as settle:
                case = trash.bring_back(self.folder, trashed, document, settle)
                self._save(document.with_cases((*document.cases, case)))
            trash.discard(trashed)
        return case

    def add_class(self, name: str) -> None:
        """Let cases be of this class from now on; raises TrainingSetError if the set knows it."""
        self.rewrite(lambda document: edits.with_new_class(document, name))

    def rename_class(self, old: str, new: str) -> None:
        """Give a class another name, in all its cases too; raises TrainingSetError if ``new`` is taken."""
        self.rewrite(lambda document: edits.with_renamed_class(document, old, new))

    def remove_class(self, name: str) -> None:
        """Forget a class that no case has; raises TrainingSetError if one has it."""
        self.rewrite(lambda document: edits.without_class(document, name))

    def tidy(self, what: Literal["orphans", "everything"] = "orphans") -> tuple[Path, ...]:
        """Delete files that no case uses, left by a killed process; ``everything`` empties ``.trash`` too.

        Returns:
            What was deleted. Removed cases can no longer be restored after ``everything``.
        """
        with self._changing() as document, storage_errors(self.folder):
            return trash.tidy(self.folder, document, what)


def _stems(name: str, incoming: Sequence[Incoming]) -> list[str]:
    """File names without suffix; several channels are numbered as nnU-Net does."""
    return [name] if len(incoming) == 1 else [f"{name}_{n:04d}" for n in range(len(incoming))]
