"""CSV, TOML and JSON that people, spreadsheets and enemies write."""

import json

from bad_input.data_sets import COLUMNS, FACTS, ROW

CASES = ("a", "b")
NO_TABLE = "no text|no table|needed|cannot read"
FORMULA = '=HYPERLINK("http://example.org";"a")'


def split_lists():
    """Return names to contents of split lists, and what their refusal says.

    The empty string stands for: must be read as a in train and b in test.
    """
    plain = "case_id,split\na,train\nb,test\n"
    marks = "\u0301\u0323" * 60_000
    return {
        "plain": (plain.encode(), ""),
        "bom": (plain.encode("utf-8-sig"), ""),
        "crlf": (plain.replace("\n", "\r\n").encode(), ""),
        "old-mac-ends": (plain.replace("\n", "\r").encode(), ""),
        "semicolons": (plain.replace(",", ";").encode(), ""),
        "tabs": (plain.replace(",", "\t").encode(), ""),
        "quoted": (b'"case_id","split"\n"a","train"\n"b","test"\n', ""),
        "spaces": (b" Case_ID , SPLIT \n a , Train \n b , Test \n", ""),
        "empty-lines": (plain.replace("\n", "\n\n,\n").encode(), ""),
        "said-twice": ((plain + "a,train\n").encode(), ""),
        "more-columns": (b"case_id,split,x\na,train,=1+1\nb,test,\n", ""),
        "accents": (f"case_id,split,x\na,train,{marks}\nb,test,\n".encode(), ""),
        "duplicates": ((plain + "a,test\n").encode(), "line 4.*'train'.*'test'"),
        "other-split": (b"case_id,split\na,learn\n", "line 2.*learn"),
        "no-column": (b"case,split\na,train\n", "case_id and split are needed"),
        "utf-16": (plain.encode("utf-16"), NO_TABLE),
        "utf-16-no-bom": (plain.encode("utf-16-le"), NO_TABLE),
        "nul": (plain.replace("b", "b\0").encode(), NO_TABLE),
        "cell-of-10-mb": (plain.encode() + b"c" * 10**7 + b",test\n", "no table"),
        "open-quote": (b'case_id,split\n"' + b"a" * 200_000, "no table"),
        "64-mb": (b"case_id,split\n" + b"a,train\n" * 2**23, "larger than"),
        "binary": (bytes(range(256)) * 10, NO_TABLE),
        "empty": (b"", NO_TABLE),
        "zip": (b"PK\3\4" + bytes(100), NO_TABLE),
    }


def configs():
    """Return names to contents of TOML settings, and what their refusal says."""
    return {
        "nonsense": (b"}{ = = [", "no TOML"),
        "json": (b'{"epochs": 3}', "no TOML"),
        "binary": (bytes(range(256)), "no TOML"),
        "utf-16": ("epochs = 3".encode("utf-16"), "no TOML"),
        "nested": (b"a = " + b"[" * 50_000, "nested too deeply"),
        "nested-tables": (b"[" + b"a." * 30_000 + b"a]", "unknown|nested|no TOML"),
        "large": (b"# " + b"x" * 2**21, "larger than"),
        "twice": (b"epochs = 1\nepochs = 2", "no TOML"),
        "unknown": (b"epoch = 3", "unknown setting 'epoch'"),
        "text": (b'epochs = "many"', "epochs must be a whole number"),
        "true": (b"epochs = true", "epochs must be a whole number"),
        "negative": (b"epochs = -1", "at least 1"),
        "nan": (b"learning_rate = nan", "at least"),
        "infinite": (b"learning_rate = inf", "at least"),
        "huge": (b"epochs = 0x" + b"f" * 6000, "at most"),
        "hugest": (b"epochs = " + b"9" * 6000, "no TOML"),
        "huge-batch": (b"batch_size = 9999999999999", "at most"),
        "huge-network": (b"size = 1000000", "at most"),
        "list": (b"arch = [1, 2]", "arch must be one of"),
        "table": (b"[epochs]\na = 1", "epochs must be a whole number"),
        "date": (b"epochs = 1979-05-27", "epochs must be a whole number"),
    }


def damaged_tables():
    """Return names to `cases.csv` of a prepared data set, and what its refusal says."""

    def changed(**cells):
        values = ROW | cells
        return ",".join(COLUMNS) + "\n" + ",".join(values[name] for name in COLUMNS)

    return {
        "climbs": (changed(image="../../secret.png"), "leads out"),
        "absolute": (changed(mask="/etc/passwd"), "leads out"),
        "line-end": (changed(reference='"a\nb.png"'), "leads out"),
        "no-image": (changed(image=""), "not named"),
        "no-reference": (changed(reference=""), "not named"),
        "device": (changed(image="images"), "folder, a pipe or a device|cannot read"),
        "side-of-0": (changed(side="0"), "side is 0"),
        "side-huge": (changed(side="20000"), "pixels"),
        "side-hugest": (changed(side="9" * 5000), "damaged"),
        "side-negative": (changed(side="-96"), "side is -96"),
        "side-float": (changed(side="96.5"), "damaged"),
        "outside": (changed(top="90"), "does not fit"),
        "height-huge": (changed(original_height="99999999"), "height is 99999999"),
        "height-other": (changed(original_height="131"), "as it was prepared"),
        "window-nan": (changed(window_low="nan"), "no number"),
        "window-inf": (changed(window_high="inf"), "no number"),
        "spacing-0": (changed(spacing_row_mm="0", spacing_column_mm="1"), "spacing"),
        "spacing-nan": (changed(spacing_row_mm="nan", spacing_column_mm="1"), "number"),
        "split-other": (changed(split="learn"), "split is 'learn'"),
        "twice": (changed() + "\n" + changed().splitlines()[1], "twice"),
        "short": (changed() + "\na,b", "missing"),
        "no-columns": ("case_id\n1\n", "missing"),
        "text": ("no table at all\n\n\nx", "missing"),
        "nul": (changed(case_id="\0").replace("\n", "\0\n"), ""),
        "cell": (changed(notes="x" * 200_000), "field larger"),
    }


def damaged_facts():
    """Return names to `dataset.json` of a prepared data set, and what is said of it."""

    def changed(**values):
        return json.dumps(FACTS | values)

    return {
        "nonsense": ("}{", "damaged"),
        "nested": ("[" * 100_000, "damaged"),
        "nested-objects": ('{"a":' * 100_000, "damaged"),
        "list": ("[]", "damaged"),
        "nan": (changed(size=float("nan")), "damaged"),
        "infinite": (changed().replace('"size": 96', '"size": 1e999'), "damaged"),
        "size-0": (changed(size=0), "size is 0"),
        "size-huge": (changed(size=10**12), "size is"),
        "convention": (changed(convention="heart?"), "damaged"),
        "future": (changed(format_version=99), "format version 99"),
        "large": (changed(name="x" * 2**21), "larger than"),
        "empty": ("", "damaged"),
    }
