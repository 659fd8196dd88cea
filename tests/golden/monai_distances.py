"""Write what MONAI measures on random shapes: the second opinion on our distances.

MONAI needs PyTorch, which lungcli does not, so that its answers are kept in a file:

    pip install monai scipy && python tests/golden/monai_distances.py

The shapes are drawn again from their seeds by the tests.
"""

import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from random_shapes import CASES, draw_pair


def main() -> None:
    """Write `monai_distances.json` beside this file."""
    document = {
        "monai": version("monai"),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "python": platform.python_version(),
        "cases": [measure(seed) for seed in range(CASES)],
    }
    rows = json.dumps(document, indent=None, allow_nan=False)
    text = rows.replace('"cases": [', '"cases": [\n ').replace("}, {", "},\n {")
    path = Path(__file__).with_suffix(".json")
    path.write_text(text + "\n", encoding="utf-8")


def measure(seed: int) -> dict[str, float]:
    """Return MONAI's scores of one pair of shapes."""
    import torch
    from monai import metrics

    pair = draw_pair(seed)
    reference, predicted = (
        torch.from_numpy(mask)[None, None].float()
        for mask in (pair.reference, pair.predicted)
    )
    masks = {"y_pred": predicted, "y": reference, "include_background": True}
    spacing = {"spacing": list(pair.spacing)}
    found = {
        "hd": metrics.compute_hausdorff_distance(**masks, **spacing),
        "hd95": metrics.compute_hausdorff_distance(**masks, **spacing, percentile=95),
        "assd": metrics.compute_average_surface_distance(
            **masks, **spacing, symmetric=True
        ),
        "nsd": metrics.compute_surface_dice(
            **masks, **spacing, class_thresholds=[pair.tolerance]
        ),
    }
    area = int(pair.reference.sum()) + int(pair.predicted.sum())
    scores = {name: round(float(value), 6) for name, value in found.items()}
    return {"seed": seed, "area": area, **scores}


if __name__ == "__main__":
    main()
