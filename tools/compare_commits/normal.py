"""What is never the same twice in a text, taken out."""

import re
from typing import Final

from formats import VARYING
from layout import Side

_SUBSTITUTIONS: Final = (
    # a field of JSON: a number, nothing, or a text
    (
        rf'("(?:{"|".join(VARYING)})": ?)(-?[\d.]+(?:[eE][+-]?\d+)?|null|"[^"]*")',
        r"\1<varies>",
    ),
    # the summary of a training
    (
        r"\d+ images/s(?:, [\d.]+ s an epoch)? on (.*); limited by \w+, "
        r"\d+ % of the time went to input",
        r"<speed> on \1",
    ),
    # a row of the table of a training: rate, then seconds
    (r"(?m)^( +\d+(?: +(?:[\d.]+|nan)){3} +\d\.\de[+-]\d\d) +\d+\.\d", r"\1 <seconds>"),
    # the name of a run
    (r"(?<!\d)20\d{6}-\d{6}(?!\d)", "<time>"),
    (r"127\.0\.0\.1:\d+", "<server>"),
    (r'("version": )\d{9,}', r"\1<of a URL>"),
    (r"\bprocess \d+ on \S+ ", "process <pid> "),
    # log lines of libraries: date, time, process
    (r"(?m)^([IWEF])\d{4} \d\d:\d\d:\d+\.\d+ +\d+ ", r"\1 <log> "),
    (r"0x[0-9a-f]{8,}", "<address>"),
    (r"\.part-[\w-]+|\btmp[a-z0-9_]{8}\b", "<temporary>"),
    (r"<dc:date>[^<]*</dc:date>", "<dc:date/>"),
    (r"events\.out\.tfevents\.\S+", "<events>"),
)


def normal(text: str, side: Side) -> str:
    """Return a text without what may differ between the sides."""
    text = text.replace(str(side.root), "<root>").replace(side.bucket, "<bucket>")
    for pattern, instead in _SUBSTITUTIONS:
        text = re.sub(pattern, instead, text)
    return text
