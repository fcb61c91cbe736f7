"""What a label's name says about it in standard codes (SNOMED CT), as Slicer's General Anatomy list has them."""

from __future__ import annotations

import re

CONTEXT = "Segmentation category and type - 3D Slicer General Anatomy list"
REGIONS = "Anatomic codes - DICOM master list"

TISSUE = "SCT^85756007^Tissue"
STRUCTURE = "SCT^123037004^Anatomical Structure"
ALTERED = "SCT^49755003^Morphologically Altered Structure"

ENTRIES = (
    (r"necro", ALTERED, "SCT^6574001^Necrosis"),
    (r"o?edema", ALTERED, "SCT^79654002^Edema"),
    (r"cyst", ALTERED, "SCT^367643001^Cyst"),
    (
        r"tumou?r|lesion|mass|cancer|carcinoma|metasta|neoplasm|nodule|glioma|polyp",
        ALTERED,
        "SCT^4147007^Mass",
    ),
    (r"left ventricle|\blv\b", STRUCTURE, "SCT^87878005^Left Ventricle"),
    (r"right ventricle|\brv\b", STRUCTURE, "SCT^53085002^Right Ventricle"),
    (r"brain", STRUCTURE, "SCT^12738006^Brain"),
    (r"heart|cardiac", STRUCTURE, "SCT^80891009^Heart"),
    (r"kidney|renal", STRUCTURE, "SCT^64033007^Kidney"),
    (r"liver", STRUCTURE, "SCT^10200004^Liver"),
    (r"lung", STRUCTURE, "SCT^39607008^Lung"),
    (r"pancreas", STRUCTURE, "SCT^15776009^Pancreas"),
    (r"prostate", STRUCTURE, "SCT^41216001^Prostate"),
    (r"spleen", STRUCTURE, "SCT^78961009^Spleen"),
    (r"bone", TISSUE, "SCT^272673000^Bone"),
)
"""Pattern in a label's name, category, type; the first that fits is taken: "kidney tumour" is a mass."""


def terminology_of(label: str) -> str:
    """The terminology entry of a segment, in Slicer's serialized form; "Tissue" where the name says nothing."""
    name = label.lower().replace("_", " ")
    category, kind = next(
        ((category, kind) for pattern, category, kind in ENTRIES if re.search(pattern, name)),
        (TISSUE, TISSUE),
    )
    return f"{CONTEXT}~{category}~{kind}~^^~{REGIONS}~^^~^^"
