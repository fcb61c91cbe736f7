"""One thing that is worth saying of a training set: what it is, how to put it right, and which cases it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

Kind = Literal[
    "broken entry", "file gone", "unreadable", "other dimension", "other grid", "image changed",
    "empty segmentation", "no class", "no segmentation", "predicted segmentation", "duplicate", "split group",
    "odd spacing", "odd intensities", "orphan file", "segmenter cannot be trained", "classifier cannot be trained",
    "few groups",
]  # fmt: skip
"""What a finding is about, for programs that offer a way to put it right."""


@dataclass(frozen=True)
class Finding:
    """One finding.

    Args:
        severity: ``error`` keeps a case from being used; ``warning`` makes results worse or less honest; ``info``
            is worth knowing.
        kind: what it is about.
        what: what is the matter, without a full stop.
        remedy: what to do, as an order without a full stop; empty where ``what`` says it already (a file that
            cannot be read).
        cases: names of the cases it is about; empty for the set as a whole.
    """

    severity: Severity
    kind: Kind
    what: str
    remedy: str = ""
    cases: tuple[str, ...] = ()

    @property
    def case(self) -> str:
        """Name of the first case; empty for the set as a whole."""
        return self.cases[0] if self.cases else ""

    @property
    def sentence(self) -> str:
        """What is the matter and what to do, fit to be shown."""
        return f"{self.what}; {self.remedy}." if self.remedy else f"{self.what}."


def by_severity(findings: list[Finding]) -> list[Finding]:
    """Errors first, otherwise in the order they were found."""
    return sorted(findings, key=lambda f: SEVERITIES.index(f.severity))
