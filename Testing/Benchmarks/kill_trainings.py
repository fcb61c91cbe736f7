"""Kill the worker at random moments of adding a case and training, and look each time whether anything was lost.

    python Testing/Benchmarks/kill_trainings.py [--cycles 50] [--seed 1] [--longest 6]

Every cycle starts a worker, has it add a case to the same set and train a classifier, and kills its processes at a
random moment between the first request and ``--longest`` seconds after the case was answered; every third training is
let run to its end. Then the set is opened again: all cases that were answered are there and can be read, every
training that was answered is there whole, and the last of them is what a new worker tells. Ends with an error
otherwise.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from untrained import fresh_family, slice_set

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.package.store import open_package, save_package
from SegClassifyLib.phantoms.slices import LESIONS, make_slice
from SegClassifyLib.volumes.write import write_image
from SegClassifyLib.worker.classifier_messages import LastClassifierParams, TrainClassifierParams
from SegClassifyLib.worker.client import WorkerClient, WorkerEndedError
from SegClassifyLib.worker.protocol import FileSource
from SegClassifyLib.worker.set_messages import AddCaseParams


def main() -> None:
    """Run the cycles and say what was seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cycles", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=6.0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        training_set = slice_set(home / "set", classified=4)
        save_package(fresh_family().full, home / "segmenter")
        added = [c.name for c in training_set.cases]
        trained: list[str] = []
        for number in range(options.cycles):
            seconds = None if number % 3 == 2 else chance.uniform(0, options.longest)
            _live(home, number, seconds, added, trained)
            _look(home / "set", added, trained)
            print(
                f"{number + 1:3}: {'ran to its end' if seconds is None else f'killed after {seconds:.1f} s'}; "
                f"{len(added)} cases and {len(trained)} trainings answered, all there",
                flush=True,
            )
        with WorkerClient() as worker:
            (last,) = worker.ask(LastClassifierParams(str(home / "set")))
            assert trained and Path(last.run).is_dir()
            print(f"A new worker tells the last training of {last.cases} cases.")


def _live(home: Path, number: int, seconds: float | None, added: list[str], trained: list[str]) -> None:
    """One life of a worker; what it answered comes into the lists."""
    lesion = LESIONS[number % 2]
    image = home / f"new-{number}.png"
    write_image(make_slice(90_000 + number, lesion, (48, 48)).image, image)
    folder = str(home / "set")
    worker = WorkerClient()
    killer = threading.Timer(seconds, worker.kill) if seconds is not None else None
    if killer is not None:
        killer.start()
    try:
        source = FileSource(str(image))
        changed = worker.ask(AddCaseParams(folder, f"new {number}", (source,), class_name=lesion))
        added += changed.cases
        answer = worker.ask(
            TrainClassifierParams(folder, str(home / "segmenter"), head="linear", further=(), device="cpu")
        )
        trained.append(answer.run)
    except WorkerEndedError:
        assert seconds is not None, "a worker that nobody killed has ended"
    finally:
        if killer is not None:
            killer.cancel()
        worker.close()
        time.sleep(0.05)


def _look(folder: Path, added: list[str], trained: list[str]) -> None:
    """Everything that was answered is there; raises otherwise."""
    training_set = TrainingSet.open(folder)
    names = {c.name for c in training_set.cases}
    assert set(added) <= names, set(added) - names
    for name in added:
        training_set.load_image(training_set.case(name))
    for run in trained:
        assert open_package(Path(run)).head is not None


if __name__ == "__main__":
    main()
