"""Masks wherever somebody keeps them, found by a pattern of their paths."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from lungcli.data.case import SourceListing
from lungcli.data.inputs.folder import is_image
from lungcli.data.mask_files import MASK_SUFFIXES
from lungcli.data.sources import listing
from lungcli.data.sources.own import list_own
from lungcli.data.structure_names import BOTH, left_alone, meant_structure
from lungcli.errors import ConfigError, DatasetError

LAYOUT: Final = "mask-pattern"
_PARTS: Final = {"{stem}": "(?P<stem>[^/]+)", "{structure}": "(?P<structure>[^/]+)"}
_PART: Final = re.compile(r"\{stem\}|\{structure\}|\*")


def parse_pattern(pattern: str) -> re.Pattern[str]:
    """Return the expression for the paths of masks below a source's folder.

    Args:
        pattern: As `labels/{structure}/{stem}_m.png`; `*` is any part of a name.

    Raises:
        ConfigError: If `{stem}` is not in it exactly once, or `{structure}` twice.

    Examples:
        >>> found = parse_pattern("*/{stem}-{structure}.png").fullmatch("m/a-heart.png")
        >>> found.groupdict()
        {'stem': 'a', 'structure': 'heart'}
    """
    if pattern.count("{stem}") != 1 or pattern.count("{structure}") > 1:
        msg = (
            f"--mask-pattern {pattern} must hold {{stem}}, the name of the image "
            "without its suffix, once, and {structure} at most once."
        )
        raise ConfigError(msg)
    text, expression, start = pattern.replace(os.sep, "/"), "", 0
    for found in _PART.finditer(text):
        expression += re.escape(text[start : found.start()])
        expression += _PARTS.get(found.group(), "[^/]*")
        start = found.end()
    return re.compile(expression + re.escape(text[start:]))


def list_by_pattern(root: Path, pattern: str) -> SourceListing:
    """List the images below a folder; those that a pattern fits are masks.

    Raises:
        ConfigError: If the pattern is none.
        DatasetError: If it fits no file, no image is left, or `cases.csv` cannot be
            used.
    """
    expression = parse_pattern(pattern)
    images: list[tuple[str, Path]] = []
    masks: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    unknown = set()
    for path in _images_below(root):
        found = expression.fullmatch(path.relative_to(root).as_posix())
        if found is None:
            images.append((listing.image_stem(path.name), path))
            continue
        name = found.groupdict().get("structure", BOTH)
        key = meant_structure(name)
        if key is None:
            unknown.add(name)
        else:
            masks[key].append((found["stem"], path))
    if not masks:
        raise DatasetError(_fits_nothing(root, pattern, images, unknown))
    listed = listing.sort_out(images)
    listing.require_images(listed, root, f"images that {pattern} does not fit")
    apart = {key: listing.sort_out(pairs) for key, pairs in masks.items()}
    combined = apart.pop(BOTH, None)
    own = list_own(root, LAYOUT, listed, apart, combined)
    return replace(own, notes=left_alone(unknown))


def _images_below(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):  # links to folders are not followed
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if not name.startswith(".") and (
                is_image(str(path)) or path.name.lower().endswith(MASK_SUFFIXES)
            ):
                yield path


def _fits_nothing(
    root: Path, pattern: str, images: list[tuple[str, Path]], unknown: set[str]
) -> str:
    if unknown:
        return f"--mask-pattern {pattern}: {' '.join(left_alone(unknown))}"
    seen = f" The first is {images[0][1].relative_to(root)}." if images else ""
    return (
        f"--mask-pattern {pattern} fits none of the {len(images)} images below {root}."
        f"{seen} Give the path of the masks below that folder, {{stem}} for the name."
    )
