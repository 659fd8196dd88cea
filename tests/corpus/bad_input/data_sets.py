"""The tables of a small prepared data set, to be damaged."""

COLUMNS = (
    "case_id", "patient_id", "source", "split", "image", "mask", "reference",
    "original_height", "original_width", "side", "top", "left", "content_height",
    "content_width", "spacing_row_mm", "spacing_column_mm", "sides", "window_low",
    "window_high", "finding", "sex", "age", "view", "ctr", "notes",
)  # fmt: skip
ROW = dict.fromkeys(COLUMNS, "") | {
    "case_id": "1", "patient_id": "1", "source": "a", "split": "test",
    "image": "images/1.png", "mask": "masks/1.png", "reference": "references/1.png",
    "original_height": "130", "original_width": "160", "side": "96", "top": "9",
    "left": "0", "content_height": "78", "content_width": "96", "sides": "given",
    "window_low": "0", "window_high": "255",
}  # fmt: skip
FACTS = {
    "format_version": 1,
    "name": "a",
    "size": 96,
    "convention": "heart-excluded",
    "fingerprint": "0" * 64,
}
