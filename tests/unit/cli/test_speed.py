"""The line about speed that a training ends with."""

from types import SimpleNamespace

import pytest

from lungcli.cli.training_view import speed
from lungcli.nn.throughput import Throughput


@pytest.mark.parametrize(
    ("measured", "line"),
    [
        pytest.param(
            Throughput(
                images_per_second=42.6, seconds_per_epoch=12.06, input_share=0.026
            ),
            "43 images/s, 12.1 s an epoch on 2 cores (bfloat16); "
            "limited by computing, 3 % of the time went to input",
            id="usual",
        ),
        pytest.param(
            Throughput(images_per_second=9, input_share=0.75),
            "9 images/s on 2 cores (bfloat16); "
            "limited by input, 75 % of the time went to input",
            id="interrupted-in-its-first-epoch",
        ),
        pytest.param(Throughput(seconds_per_epoch=3), "", id="one-step"),
        pytest.param(Throughput(), "", id="nothing"),
    ],
)
def test_line(measured, line):
    result = SimpleNamespace(throughput=measured, hardware="2 cores (bfloat16)")
    assert speed(result) == line
