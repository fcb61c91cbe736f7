"""What a run of a recipe was begun with: kept in its folder, so that it goes on as it began."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from SegClassifyLib.atomic import write_text
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.recipes.recipe import Part, Scale

_FILE = "recipe.json"


class Begun(BaseModel):
    """What decides which cases take part and how the segmenter is trained.

    Args:
        recipe: its name.
        source: key of the data, or "phantoms".
        scale: sizes and budgets.
        seed: of everything random.
        classes: names in order.
        notes: what the search for cases had to say.
        parts: part by case name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    recipe: str
    source: str
    scale: Scale
    seed: int
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    parts: dict[str, Part]

    def count(self, part: Part) -> int:
        """Cases of a part."""
        return sum(p == part for p in self.parts.values())


def read_begun(folder: Path, recipe: str, source: str, scale: Scale, seed: int) -> Begun | None:
    """What an earlier run in this folder was begun with; ``None`` where there was none.

    Raises:
        SegClassifyError: it was begun with other settings, the file is damaged, or the folder holds something else.
    """
    path = folder / _FILE
    if not path.exists():
        if folder.is_dir() and any(folder.iterdir()):
            raise SegClassifyError(
                f"{folder} holds other things than a recipe's run: choose a new folder with --output."
            )
        return None
    try:
        begun = Begun.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise SegClassifyError(f"{path} is damaged: choose a new folder with --output.") from error
    asked = {"recipe": recipe, "source": source, "scale": scale, "seed": seed}
    other = [name for name, value in asked.items() if getattr(begun, name) != value]
    if other:
        raise SegClassifyError(
            f"The run in {folder} was begun with another {', '.join(other)}: give the same options to go on with it, "
            "or choose a new folder with --output."
        )
    return begun


def write_begun(begun: Begun, folder: Path) -> None:
    """Keep it; raises SegClassifyError where the folder cannot be written."""
    with disk_errors(folder):
        write_text(folder / _FILE, begun.model_dump_json(indent=1) + "\n")
