"""What a model card says of prediction sets and novelty."""

from __future__ import annotations

from SegClassifyLib.package.model import Model
from SegClassifyLib.trust.answers import never_ruled_out


def trust_in_words(model: Model) -> str:
    """Sentences as a Markdown list; empty for a model without a classifier."""
    if model.head is None:
        return ""
    trust = model.trust
    said = []
    if trust is None or trust.answers is None:
        said.append(
            "It gives no prediction sets: it names the most probable class however close the others are."
        )
    else:
        confidence = f"{100 * trust.confidence:.0f} % confidence"
        said.append(
            f"With each answer come the classes that cannot be ruled out at {confidence}: of images like the training "
            "cases this set holds the true class about that often, whatever the class (cross-conformal prediction, "
            f"CV+, from {len(trust.answers.y)} held-out answers)."
        )
        always = never_ruled_out(trust.answers, trust.confidence)
        if always:
            names = ", ".join(model.classes[k] for k in always)
            said.append(f"Never ruled out, for want of training cases: {names}.")
    if trust is None or trust.novelty is None:
        said.append("It does not notice images unlike the training cases, but for plain checks of the image.")
    else:
        novelty = trust.novelty
        said.append(
            "It says when an image is unlike the training cases; of images like them it says so of about "
            f"{100 * novelty.false_alarms:.0f} %. Compared are {_compared(tuple(novelty.distances))}."
        )
    return "\n".join(f"- {sentence}" for sentence in said)


def _compared(names: tuple[str, ...]) -> str:
    words = {"network": "the features of the segmentation network", "look": "grey values and their texture"}
    return " and ".join(words[name] for name in names)
