"""The model card: what a person should know before using a model, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from SegClassifyLib.package.model import Model
from SegClassifyLib.package.provenance import Score
from SegClassifyLib.package.reference import TrainingReference, span
from SegClassifyLib.package.trust_words import trust_in_words
from SegClassifyLib.preprocessing.spec import GridSpec, IntensitySpec, PreprocessingSpec

_DIRECTIONS = {"L": "left", "R": "right", "A": "front", "P": "back", "S": "head", "I": "feet"}


def model_card(model: Model) -> str:
    """The card of a model, from what the model itself holds; nothing is made up for what is not known."""
    parts = [
        f"# {_line(model.name)}",
        model.description.strip(),
        "**For research use only.** This model is not a medical device and must not be used for diagnosis or "
        "treatment.",
        _section("What it does", _what(model)),
        _section("Input", _input(model.segmenter.preprocessing)),
        _section("Labels", _labels(model)),
        _section("Classes", _classes(model)),
        _section("Scores", _scores(model.provenance.scores)),
        _section("How far to trust it", trust_in_words(model)),
        _section("Training", _training(model)),
        _section("Limits", _limits(model)),
        _section("How to run it", _how_to_run(model)),
        _section("Licence, authors, citation", _legal(model)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def preprocessing_in_words(spec: PreprocessingSpec) -> list[str]:
    """One sentence for the grid, and one for each channel's grey values."""
    same = len({c.intensity for c in spec.channels}) == 1 and len(spec.channels) > 1
    if same:
        return [
            _grid(spec.grid, spec.ndim),
            f"Grey values of every channel: {_intensity(spec.channels[0].intensity)}.",
        ]
    return [
        _grid(spec.grid, spec.ndim),
        *(f"Grey values of {_line(c.name)}: {_intensity(c.intensity)}." for c in spec.channels),
    ]


def _what(model: Model) -> str:
    segmenter = model.segmenter
    found = ", ".join(_line(label.name) for label in segmenter.labels[1:])
    text = f"Segments {found} with a {segmenter.network.ndim}D {segmenter.network.name} network"
    if model.head is None:
        return text + ". It does not classify."
    source = (
        "features of that network" if segmenter.taps else "the shape and grey values of what was segmented"
    )
    return f"{text}, then classifies the image with a *{model.head.kind}* classifier on {source}."


def _input(spec: PreprocessingSpec) -> str:
    channels = [f"{number}. {_line(c.name)}" for number, c in enumerate(spec.channels, 1)]
    kind = "2D image" if spec.ndim == 2 else "3D volume"
    return "\n".join(
        [f"One {kind} for each channel, in this order:", "", *channels, "", *preprocessing_in_words(spec)]
    )


def _grid(grid: GridSpec, ndim: int) -> str:
    steps = []
    if ndim == 3:
        x, y, z = (_DIRECTIONS[c] for c in grid.orientation)
        steps.append(f"axes turned so that x runs to the {x}, y to the {y} and z to the {z}")
    if grid.fit and grid.size:
        steps.append(f"scaled, keeping its shape, to fit into {_times(grid.size)} voxels")
    elif grid.spacing:
        steps.append(f"resampled to {_times(grid.spacing)} mm")
    else:
        steps.append("kept at its own spacing")
    if grid.size:
        steps.append(f"cropped or padded to {_times(grid.size)} voxels")
    if grid.multiple_of > 1:
        steps.append(f"padded to a multiple of {grid.multiple_of} voxels")
    return f"Before the network: {', '.join(steps)}."


def _intensity(spec: IntensitySpec) -> str:
    over = " of the non-zero voxels" if spec.nonzero else ""
    steps = []
    if spec.clip == "percentile":
        steps.append(f"clipped at the {spec.lower:g} and {spec.upper:g} percentiles{over}")
    elif spec.clip == "window":
        steps.append(f"clipped to {spec.lower:g} to {spec.upper:g}")
    if spec.scale in ("unit", "unit_zscore"):
        steps.append("scaled to 0 to 1")
    if spec.scale in ("zscore", "unit_zscore"):
        steps.append(f"less the mean and divided by the standard deviation{over}")
    if (spec.gain, spec.offset) != (1.0, 0.0):
        steps.append(f"times {spec.gain:g} plus {spec.offset:g}")
    return ", ".join(steps) or "as stored"


def _labels(model: Model) -> str:
    volumes = {label.name: label for label in model.training.labels}
    unit = "mm²" if model.segmenter.network.ndim == 2 else "mm³"
    rows = []
    for label in model.segmenter.labels:
        known = volumes.get(label.name)
        text = f"{span(known.volume)} (in {known.present_in} cases)" if known else ""
        rows.append((str(label.value), _cell(label.name), text))
    return _table(("value", "name", f"volume in training, {unit}"), rows)


def _classes(model: Model) -> str:
    if not model.classes:
        return ""
    counts = {c.name: c for c in model.provenance.counts}
    rows = []
    for name in model.classes:
        known = counts.get(name)
        cases, groups = (str(known.cases), str(known.groups)) if known else ("", "")
        rows.append((_cell(name), cases, groups))
    return _table(("class", "training cases", "patients"), rows)


def _scores(scores: tuple[Score, ...]) -> str:
    if not scores:
        return "None was recorded."
    rows = []
    for s in scores:
        interval = f"{s.low:.3g} to {s.high:.3g}" if s.low is not None and s.high is not None else ""
        rows.append((_cell(s.metric), f"{s.value:.3g}", interval, _cell(s.how)))
    return _table(("score", "value", "95 % interval", "how it was estimated"), rows)


def _training(model: Model) -> str:
    p = model.provenance
    software = ", ".join(f"{name} {version}" for name, version in p.software.items())
    facts = [
        ("Made", p.created),
        ("Training set", p.data_set),
        ("Its content hash", p.data_hash),
        ("Cases that trained the segmenter", str(p.segmenter_cases) if p.segmenter_cases is not None else ""),
        ("Segmenter's cases in the classifier", p.cross_fitting),
        ("Temperature of the probabilities", f"{model.temperature:.3g}" if model.classes else ""),
        ("Share of them spread evenly over the classes", f"{model.doubt:.2g}" if model.doubt else ""),
        ("Seed", str(p.seed) if p.seed is not None else ""),
        ("Device", p.device),
        ("Software", software),
        *((f"Training images, {what}", text) for what, text in _reference(model.training)),
    ]
    return "\n".join(f"- {what}: {_line(text)}" for what, text in facts if text)


def _reference(training: TrainingReference) -> list[tuple[str, str]]:
    return [
        ("spacing in mm along x, y …", "; ".join(span(r) for r in training.spacing)),
        ("extent in mm along x, y …", "; ".join(span(r) for r in training.field_of_view)),
    ]


def _limits(model: Model) -> str:
    limits = [
        "Images of another scanner, protocol, body part or population than in training may be answered wrongly and "
        "with confidence.",
        "It always answers with one of its classes, also for an image that shows none of them."
        if model.classes
        else "It knows only the labels above.",
    ]
    smallest = min((c.cases for c in model.provenance.counts), default=None)
    if smallest is not None and smallest < 50:
        limits.append(
            f"The rarest class had {smallest} training cases: read the intervals, not only the values."
        )
    if not model.provenance.scores:
        limits.append("How well it does is not known: no score was recorded.")
    return "\n".join(f"- {text}" for text in limits)


def _how_to_run(model: Model) -> str:
    images = ",".join(f"<{_line(c.name)}>" for c in model.segmenter.preprocessing.channels)
    image = (
        "<image>"
        if len(model.segmenter.preprocessing.channels) == 1
        else "\"['<channel 1>', '<channel 2>', …]\""
    )
    return (
        "```\n"
        f"segclassify classify <this folder> {images}\n"
        "```\n\n"
        "or through MONAI, with SegClassify installed beside it:\n\n"
        "```\n"
        "python -m monai.bundle run --config_file <this folder>/configs/inference.json "
        f"--bundle_root <this folder> --image {image}\n"
        "```\n\n"
        "SegClassify reads no executable content from a model package. MONAI does run whatever "
        "`configs/inference.json` names: use the second way only with packages from people you trust."
    )


def _legal(model: Model) -> str:
    p = model.provenance
    licence = p.licence or ("see the file LICENSE" if p.licence_text else "not stated")
    facts = [("Licence", licence), ("Authors", ", ".join(p.authors)), ("Cite", p.citation)]
    return "\n".join(f"- {what}: {_line(text)}" for what, text in facts if text)


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text else ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")


def _times(values: Iterable[float]) -> str:
    return " x ".join(f"{v:g}" for v in values)
