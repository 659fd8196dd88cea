"""The training itself, with half the batch where the device has too little memory."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lungcli.errors import ConfigError, ModelError, OutputError
from lungcli.model.onnx_predictor import has_current_onnx
from lungcli.model.runs import RunFolder
from lungcli.nn.callbacks import Logs
from lungcli.nn.distribution import this_process
from lungcli.nn.hardware import computing_unit
from lungcli.nn.memory import OutOfMemoryError, free_memory
from lungcli.nn.onnx_export import export_onnx
from lungcli.nn.state import TrainingState, load_state
from lungcli.system.cores import num_cores
from lungcli.system.interrupts import deferred
from lungcli.workflows.training.beginning import take_up
from lungcli.workflows.training.events import TrainEvents, TrainPlan, TrainResult
from lungcli.workflows.training.record import RunRecord
from lungcli.workflows.training.setup import THRESHOLD, TrainingSetup
from lungcli.workflows.training.validation import ValidationScorer

_REMEDY: Final = (
    "Close what else takes memory and go on with --resume, or start a new run "
    "with a smaller --batch-size or --size, or fewer --filters."
)


class Fitting:
    """The only holder of a trainer, so that its memory can be freed for another.

    Args:
        setup: What the trainer is made of.
        record: Keeps the history.
        state: Where the run stopped; None begins a new one.
    """

    def __init__(
        self,
        setup: TrainingSetup,
        record: RunRecord,
        *,
        state: TrainingState | None = None,
    ) -> None:
        self._setup = setup
        self._record = record
        self.trainer = setup.new_trainer(state)

    def run(self, events: TrainEvents) -> TrainResult:
        """Train, and finish the run folder however the training ends.

        Where the device has too little memory, batches of half the size are tried once.

        Raises:
            ConfigError: If half the size is too large, too.
        """
        events.on_plan(self._plan())
        interrupted = False
        doubts: tuple[str, ...] = ()
        try:
            try:
                if not self.trainer.is_over:
                    self._train(events)
            finally:
                self._record.finish()
            doubts = _export(self._setup.folder)
        except KeyboardInterrupt:
            interrupted = True
        return self._result(interrupted=interrupted, doubts=doubts)

    def _train(self, events: TrainEvents) -> None:
        scorer = ValidationScorer(
            self._setup.cases.validation,
            threshold=THRESHOLD,
            structures=self._setup.config.network.structures,
        )

        def score(batches: Iterable[NDArray[np.float32]]) -> Logs:
            return scorer(self._record.watch(batches))

        try:
            self.trainer.fit(score, self._record, events)
        except OutOfMemoryError as error:
            reason = str(error)
        else:
            return
        # not in the block above: the error's frames hold tensors, and with them memory
        with deferred():  # a stop would find no trainer
            self._halve_batches(reason)
        events.on_plan(self._plan())
        try:
            self.trainer.fit(score, self._record, events)
        except OutOfMemoryError as error:
            msg = f"out of memory again ({error}). {_REMEDY}"
            raise ConfigError(msg) from error

    def _halve_batches(self, reason: str) -> None:
        """Go back to the last whole epoch, to go on with half as many cases a step."""
        before, devices = self._setup.config.batch_size, self.trainer.devices
        halved = before // 2 // devices * devices
        if not halved or this_process().count > 1:
            step = f"{before} case{'s' * (before > 1)} a step"
            msg = f"out of memory with {step} ({reason}). {_REMEDY}"
            raise ConfigError(msg)
        setup = replace(
            self._setup, config=replace(self._setup.config, batch_size=halved)
        )
        del self.trainer  # and the memory that it holds
        free_memory()
        self.trainer = setup.new_trainer(load_state(setup.folder.root / "state"))
        take_up(setup, self.trainer, self._record, halved_from=before)
        note = (
            f"out of memory ({reason}): going on after epoch {self.trainer.done} with "
            f"a batch size of {halved}, not {before}."
        )
        self._setup = replace(setup, notes=(note,))

    def _plan(self) -> TrainPlan:
        setup = self._setup
        return TrainPlan(
            run=setup.folder.root,
            config=setup.config,
            holdout=setup.cases.holdout,
            first_epoch=self.trainer.done + 1,
            best_dice=self._record.best_dice,
            steps=len(self.trainer.batches),
            num_train=len(setup.cases.train),
            num_validation=len(setup.cases.validation),
            parameters=self.trainer.network.count_params(),
            precision=self.trainer.policy,
            notes=setup.notes,
        )

    def _result(self, *, interrupted: bool, doubts: tuple[str, ...]) -> TrainResult:
        config = self._setup.config
        return TrainResult(
            run=self._setup.folder,
            history=self._record.rows,
            epochs=config.epochs,
            keep=config.keep,
            throughput=self.trainer.meter.throughput,
            hardware=computing_unit(
                self.trainer.policy, cores=num_cores(), devices=self.trainer.devices
            ),
            interrupted=interrupted,
            doubts=doubts,
        )


def _export(folder: RunFolder) -> tuple[str, ...]:
    """Write the network for `predict`; return why not, as predicting starts slowly."""
    if has_current_onnx(folder.root):
        return ()
    try:
        export_onnx(folder.root)
    except (ModelError, OutputError) as error:
        return (f"{error} 'lungcli predict' will load Keras instead.",)
    return ()
