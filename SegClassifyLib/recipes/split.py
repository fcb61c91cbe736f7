"""Which cases train the segmenter, which train classifiers and which are tested on: exact numbers, no patient twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.recipes.candidates import Candidate
from SegClassifyLib.recipes.recipe import Part, Sizes

Missing = dict[tuple[Part, str], int]
"""How many cases are missing, by part and class."""

_ATTEMPTS = 50
"""Orders of the patients that are tried until one gives the exact numbers."""

_ORDER: tuple[Part, ...] = ("test", "train", "segmenter")


def split_candidates(
    candidates: Sequence[Candidate], classes: Sequence[str], sizes: Sizes, seed: int
) -> dict[str, Part]:
    """Choose the cases of each part: as many as asked for, classes in proportion, patients in one part only.

    As many patients take part as there are: of one with many cases only so many are taken as the numbers want. Where
    that makes the numbers exact, a patient may give fewer.

    Args:
        candidates: to choose from.
        classes: all there are.
        sizes: cases of each part.
        seed: the same seed chooses the same cases.

    Returns:
        Part by case name.

    Raises:
        SegClassifyError: too few cases or patients.
    """
    if len(candidates) < sizes.all:
        raise SegClassifyError(
            f"The recipe takes {sizes.all} cases ({sizes.segmenter} for the segmenter, {sizes.train} to train on, "
            f"{sizes.test} to test on) and there are {len(candidates)}: add cases, or look at it with --small first."
        )
    patients: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        patients.setdefault(candidate.group, []).append(candidate)
    missing: Missing = {}
    for most in range(1, max(map(len, patients.values())) + 1):
        taken = _at_most(patients, most, np.random.default_rng((seed, most, 1)))
        have = Counter(c.label_class for own in taken.values() for c in own)
        if have.total() < sizes.all:
            continue
        quotas = _quotas(have, classes, sizes)
        for attempt in range(_ATTEMPTS):
            chosen, missing = _deal(taken, quotas, sizes, np.random.default_rng((seed, attempt)))
            if not missing:
                return chosen
    (part, name), count = next(iter(missing.items()))
    raise SegClassifyError(
        f"The {len(patients)} patients cannot be parted without one being on two sides: {sum(missing.values())} cases "
        f"are missing ({count} of {name!r} for the part {part!r}, …). Add patients, or look at it with --small first."
    )


def _at_most(
    patients: Mapping[str, Sequence[Candidate]], most: int, rng: np.random.Generator
) -> dict[str, list[Candidate]]:
    """The same patients with no more than so many cases each, drawn."""
    return {
        name: [own[i] for i in sorted(rng.permutation(len(own))[:most])]
        for name, own in sorted(patients.items())
    }


def _deal(
    patients: Mapping[str, Sequence[Candidate]],
    quotas: Mapping[Part, Counter[str]],
    sizes: Sizes,
    rng: np.random.Generator,
) -> tuple[dict[str, Part], Missing]:
    """Hand out the patients in a drawn order, and say which cases are missing then: number by part and class."""
    wanted = {part: quota.copy() for part, quota in quotas.items()}
    names = sorted(patients)
    chosen: dict[str, Part] = {}
    for index in rng.permutation(len(names)):
        own = patients[names[index]]
        part = _neediest(own, wanted, sizes)
        if part is None:
            continue
        for position in rng.permutation(len(own)):
            case = own[position]
            if wanted[part][case.label_class] > 0:
                wanted[part][case.label_class] -= 1
                chosen[case.name] = part
    return chosen, {(part, name): n for part, left in wanted.items() for name, n in left.items() if n > 0}


def _quotas(have: Mapping[str, int], classes: Sequence[str], sizes: Sizes) -> dict[Part, Counter[str]]:
    """Cases of each class in each part: in proportion to what is left, by largest remainders."""
    left = Counter({name: have.get(name, 0) for name in classes})
    quotas: dict[Part, Counter[str]] = {}
    for part in _ORDER:
        size: int = getattr(sizes, part)
        shares = {name: size * left[name] / max(left.total(), 1) for name in classes}
        quota = Counter({name: int(share) for name, share in shares.items()})
        by_remainder = sorted(classes, key=lambda name: quota[name] - shares[name])
        for name in by_remainder[: size - quota.total()]:
            quota[name] += 1
        quotas[part] = quota
        left.subtract(quota)
    return quotas


def _neediest(own: Sequence[Candidate], wanted: Mapping[Part, Counter[str]], sizes: Sizes) -> Part | None:
    """The part that can use most of a patient's cases; among equals the one that lacks most of its size."""
    have = Counter(c.label_class for c in own)

    def use(part: Part) -> tuple[int, float]:
        taken = sum(min(n, wanted[part][name]) for name, n in have.items())
        return taken, wanted[part].total() / float(getattr(sizes, part))

    best = max(_ORDER, key=use)
    return best if use(best)[0] > 0 else None
