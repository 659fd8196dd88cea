"""The curves of a training as points in a box."""

from lungcli.report.curves import curves


def history(**columns):
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]


def test_by_hand():
    rows = history(
        loss=[1.0, 0.5, 0.25], val_loss=[1.0, 0.75, 0.5], val_dice=[0.9, 0.95, 0.94]
    )
    loss, dice = curves(rows)
    assert [line.label for line in loss.lines] == ["training", "validation"]
    assert loss.lines[0].parts == ("0,0 50,50 100,75",)
    assert [tick.label for tick in loss.rows] == [
        "0.00",
        "0.25",
        "0.50",
        "0.75",
        "1.00",
    ]
    assert [tick.place for tick in loss.rows] == [100, 75, 50, 25, 0]
    assert [tick.label for tick in loss.epochs] == ["1", "2", "3"]
    assert dice.note == "best 0.9500 in epoch 2"
    assert loss.best == dice.best == 50


def test_without_validation():
    (loss,) = curves(history(epoch=[1, 2], loss=[1.0, 0.5]))
    assert [line.label for line in loss.lines] == ["training"]
    assert loss.best is None


def test_nothing_to_draw():
    assert curves([]) == []
    assert curves([{"epoch": 1.0, "loss": None}]) == []


def test_one_epoch():
    (loss, dice) = curves([{"loss": 0.3, "val_dice": 0.9}])
    assert loss.lines[0].parts == ("0,40",)
    assert dice.best == 0


def test_gaps_break_the_line():
    (loss,) = curves(history(loss=[1.0, None, 0.5, 0.5]))
    assert loss.lines[0].parts == ("0,0", "66.667,50 100,50")


def test_a_spike_lies_outside():
    (loss,) = curves(history(loss=[50.0] + [0.9] * 40))
    assert loss.rows[-1].label == "1.00"
    assert loss.lines[0].parts[0].startswith("0,-20 ")


def test_a_slow_start_lies_below():
    (dice,) = curves(history(val_dice=[0.1, *[0.95] * 20]))
    assert float(dice.rows[0].label) > 0.9
    assert dice.lines[0].parts[0].startswith("0,120 ")


def test_no_loss_at_all_is_no_division_by_zero():
    (loss,) = curves(history(loss=[0.0, 0.0]))
    assert loss.lines[0].parts == ("0,100 100,100",)
