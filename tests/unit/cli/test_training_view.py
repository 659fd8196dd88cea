"""What a person sees before a network trains."""

from pathlib import Path

from lungcli.cli.training_view import TrainingView
from lungcli.model.config import Holdout, TrainConfig
from lungcli.workflows.training.events import TrainPlan


def plan(fold, notes):
    return TrainPlan(
        run=Path("runs/r"),
        config=TrainConfig(),
        holdout=Holdout(folds=2, fold=fold),
        first_epoch=1,
        best_dice=0.0,
        steps=1,
        num_train=8,
        num_validation=2,
        parameters=9,
        precision="float32",
        notes=notes,
    )


def test_what_all_folds_would_say_is_said_once(capsys):
    with TrainingView() as view:
        view.show_plan(plan(1, ("no GPU is seen.", "first only.")))
        view.show_plan(plan(2, ("no GPU is seen.", "second only.")))
    said = capsys.readouterr().err
    assert said.count("note: ") == 3
    for note in ("no GPU is seen.", "first only.", "second only."):
        assert said.count(note) == 1
