"""``segclassify dataset``: make and keep a training set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import KEEP, TrainingSet
from SegClassifyLib.cli import dataset_check, dataset_import, dataset_view
from SegClassifyLib.cli.console import console, guarded, print_json
from SegClassifyLib.cli.dataset_options import (
    ChannelOption,
    FolderArgument,
    LabelOption,
    LabelValueOption,
    ModeChoice,
    ModeOption,
    NamesArgument,
    RoleChoice,
    SplitChoice,
    label_values,
)
from SegClassifyLib.cli.dataset_view import case_json, summary
from SegClassifyLib.cli.options import JsonOption
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.volumes.formats import file_stem

app = typer.Typer(
    help="Make and keep a training set: a folder of cases with images, segmentations, classes and groups.\n\n"
    "Start with `create` and `add`, or with one of the imports; `check` counts its cases and says what is wrong.",
    no_args_is_help=True,
)


@app.command()
@guarded
def create(
    folder: Annotated[Path, typer.Argument(help="Where to make it; the folder may exist.")],
    channel: ChannelOption = None,
    label: LabelOption = None,
    label_class: Annotated[
        list[str] | None,
        typer.Option("--class", help="Class of whole cases; repeat it. More can be added later."),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", help="What people call it; the folder's name if left out.")
    ] = "",
    description: Annotated[str, typer.Option("--description", help="A sentence on what it holds.")] = "",
    reference: Annotated[str, typer.Option("--reference", help="Where the data come from.")] = "",
    licence: Annotated[str, typer.Option("--licence", help="Under which licence.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make an empty training set.

    Example: segclassify dataset create tumours --channel T1c --channel FLAIR --label tumour --class glioma --class
    metastasis
    """
    made = TrainingSet.create(
        folder,
        name or folder.resolve().name,
        channel or ["image"],
        label or [],
        label_class or [],
        description=description,
        reference=reference,
        licence=licence,
    )
    if as_json:
        print_json(summary(made))
    else:
        console.print(f"Made the training set {folder}.", markup=False, soft_wrap=True)


@app.command()
@guarded
def add(
    folder: FolderArgument,
    images: Annotated[
        list[Path], typer.Argument(help="One file or DICOM folder a channel, in the set's order.")
    ],
    name: Annotated[str, typer.Option("--name", help="Of the case; the first file's name if left out.")] = "",
    segmentation: Annotated[
        Path | None, typer.Option("--segmentation", "-s", help="Label map on the image's grid.")
    ] = None,
    label_class: Annotated[str | None, typer.Option("--class", "-c", help="Class of the case.")] = None,
    group: Annotated[
        str | None,
        typer.Option("--group", "-g", help="Patient; cases of one group are never split across folds."),
    ] = None,
    role: Annotated[RoleChoice, typer.Option("--role", help="What it may be used for.")] = RoleChoice.both,
    split: Annotated[
        SplitChoice, typer.Option("--split", help="test keeps it for a final test.")
    ] = SplitChoice.train,
    predicted: Annotated[
        bool, typer.Option("--predicted", help="Nobody has corrected the segmentation yet.")
    ] = False,
    new_class: Annotated[bool, typer.Option("--new-class", help="The class may be new to the set.")] = False,
    allow_duplicate: Annotated[
        bool, typer.Option("--allow-duplicate", help="Even if the same image is in the set.")
    ] = False,
    label_value: LabelValueOption = None,
    mode: ModeOption = ModeChoice.copy,
    as_json: JsonOption = False,
) -> None:
    """Add a case.

    Example: segclassify dataset add tumours a_t1c.nii.gz a_flair.nii.gz --name alpha -s a_seg.nii.gz -c glioma
    """
    case = TrainingSet.open(folder).add(
        name or file_stem(images[0]),
        images,
        segmentation,
        label_class,
        group,
        role.value,
        split.value,
        predicted,
        mode=mode.value,
        new_class="add" if new_class else "refuse",
        duplicates="allow" if allow_duplicate else "refuse",
        label_values=label_values(label_value),
    )
    _say(case, "Added", as_json)


@app.command()
@guarded
def change(
    folder: FolderArgument,
    name: Annotated[str, typer.Argument(help="Name of the case.")],
    segmentation: Annotated[
        Path | None, typer.Option("--segmentation", "-s", help="New label map; the old one goes to .trash.")
    ] = None,
    label_class: Annotated[str | None, typer.Option("--class", "-c", help="Class; '' takes it away.")] = None,
    group: Annotated[str | None, typer.Option("--group", "-g", help="Patient; '' takes it away.")] = None,
    role: Annotated[RoleChoice | None, typer.Option("--role", help="What the case may be used for.")] = None,
    split: Annotated[SplitChoice | None, typer.Option("--split", help="train or test.")] = None,
    predicted: Annotated[
        bool | None,
        typer.Option("--predicted/--corrected", help="Whether a person has corrected the segmentation."),
    ] = None,
    no_segmentation: Annotated[
        bool, typer.Option("--no-segmentation", help="Take the segmentation away.")
    ] = False,
    new_class: Annotated[bool, typer.Option("--new-class", help="The class may be new to the set.")] = False,
    label_value: LabelValueOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change class, group, role, split or segmentation of a case; what is not given stays."""
    if segmentation and no_segmentation:
        raise TrainingSetError("Give either --segmentation or --no-segmentation, not both.")
    case = TrainingSet.open(folder).change(
        name,
        label_class=KEEP if label_class is None else label_class or None,
        group=KEEP if group is None else group or None,
        role=KEEP if role is None else role.value,
        split=KEEP if split is None else split.value,
        segmentation=segmentation or (None if no_segmentation else KEEP),
        segmentation_is_prediction=KEEP if predicted is None else predicted,
        new_class="add" if new_class else "refuse",
        label_values=label_values(label_value),
    )
    _say(case, "Changed", as_json)


@app.command()
@guarded
def remove(folder: FolderArgument, names: NamesArgument, as_json: JsonOption = False) -> None:
    """Take cases out of the set; `restore` brings them back."""
    training_set = TrainingSet.open(folder)
    cases = [training_set.case(name) for name in names]  # all of them or none
    for case in cases:
        training_set.remove(case.name)
        if not as_json:
            _say(case, "Removed", as_json)
    if as_json:
        print_json([case_json(c) for c in cases])


@app.command()
@guarded
def restore(folder: FolderArgument, names: NamesArgument, as_json: JsonOption = False) -> None:
    """Bring removed cases back."""
    training_set = TrainingSet.open(folder)
    cases = []
    for name in names:
        cases.append(training_set.restore(name))
        if not as_json:
            _say(cases[-1], "Restored", as_json)
    if as_json:
        print_json([case_json(c) for c in cases])


app.command("list")(dataset_view.list_cases)
app.command("show")(dataset_view.show)
app.command("check")(dataset_check.check)


@app.command("add-class")
@guarded
def add_class(
    folder: FolderArgument, names: Annotated[list[str], typer.Argument(help="Names of new classes.")]
) -> None:
    """Let cases be of more classes."""
    training_set = TrainingSet.open(folder)
    for name in names:
        training_set.add_class(name)
    console.print(f"The classes are {', '.join(training_set.classes)}.", markup=False, soft_wrap=True)


@app.command("rename-class")
@guarded
def rename_class(
    folder: FolderArgument,
    old: Annotated[str, typer.Argument(help="Its name now.")],
    new: Annotated[str, typer.Argument(help="Its new name.")],
) -> None:
    """Rename a class, in all its cases too."""
    TrainingSet.open(folder).rename_class(old, new)
    console.print(f"The class {old} is now {new}.", markup=False, soft_wrap=True)


@app.command("remove-class")
@guarded
def remove_class(
    folder: FolderArgument, name: Annotated[str, typer.Argument(help="A class that no case has.")]
) -> None:
    """Forget a class that no case has."""
    TrainingSet.open(folder).remove_class(name)
    console.print(f"The class {name} is gone.", markup=False, soft_wrap=True)


@app.command()
@guarded
def tidy(
    folder: FolderArgument,
    trash: Annotated[
        bool, typer.Option("--trash", help="Empty .trash too: removed cases can then not be restored.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete files that belong to no case."""
    from SegClassifyLib.cases.trash import orphans

    training_set = TrainingSet.open(folder)
    if not yes and not as_json:
        for path in orphans(training_set.folder, training_set.document):
            console.print(str(path), markup=False, soft_wrap=True)
        typer.confirm("Delete these files" + (" and empty .trash?" if trash else "?"), abort=True)
    deleted = training_set.tidy("everything" if trash else "orphans")
    if as_json:
        print_json([str(p) for p in deleted])
    else:
        console.print(f"Deleted {len(deleted)} file(s).")


def _say(case: Case, what: str, as_json: bool) -> None:
    if as_json:
        print_json(case_json(case))
    else:
        console.print(f"{what} the case {case.name}.", markup=False, soft_wrap=True)


app.command("import-csv")(dataset_import.import_csv)
app.command("import-folders")(dataset_import.import_folders)
app.command("import-decathlon")(dataset_import.import_decathlon)
