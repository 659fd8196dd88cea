"""One training with everything that is written and told around it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lungcli.errors import ConfigError, ModelError, OutputError
from lungcli.model.config import TrainConfig
from lungcli.model.info import ModelInfo, load_info, save_info
from lungcli.model.onnx_predictor import has_current_onnx
from lungcli.model.runs import (
    RunFolder,
    point_latest_to,
    read_history,
    rows_of_history,
    write_config,
    write_history,
)
from lungcli.nn.callbacks import VAL_DICE, Logs
from lungcli.nn.distribution import count_devices, place
from lungcli.nn.hardware import computing_unit
from lungcli.nn.memory import OutOfMemoryError, free_memory
from lungcli.nn.model_file import adopt_weights, load_weights, save_weights
from lungcli.nn.networks import check_network
from lungcli.nn.onnx_export import export_onnx
from lungcli.nn.state import TrainingState, load_state
from lungcli.nn.trainer import Hooks, Pairs, Trainer
from lungcli.pictures.figures.curves import draw_curves
from lungcli.pictures.figures.theme import save_figure
from lungcli.system.cores import num_cores
from lungcli.system.interrupts import deferred
from lungcli.workflows.shared.datasets import DatasetCase, store_pairs
from lungcli.workflows.training.assignment import Assignment
from lungcli.workflows.training.events import TrainEvents, TrainPlan, TrainResult
from lungcli.workflows.training.evolution import Evolution
from lungcli.workflows.training.fine_tuning import Initial
from lungcli.workflows.training.notes import fit_to_data, notes_on, notes_on_process
from lungcli.workflows.training.validation import ValidationScorer

THRESHOLD: Final = 0.5  # probability of lung from which a pixel counts as lung


class TrainingSession:
    """The trainer, its data, and the run folder that it fills.

    Args:
        folder: The run.
        config: Settings.
        cases: Which ones train, and which are only watched.
        runs: Folder whose `latest` will mean this run; None leaves it alone.
        state: Where the run stopped; None begins a new one.

    Raises:
        ImageError: If a prepared image is broken.
        ConfigError: If the network cannot be built with the settings, or the devices
            are not there.
        OutputError: If the disk has too little room for the pixels.
    """

    def __init__(
        self,
        folder: RunFolder,
        config: TrainConfig,
        cases: Assignment,
        *,
        runs: Path | None,
        state: TrainingState | None = None,
    ) -> None:
        check_network(config.network)  # before the images are read
        self.folder = folder
        self.runs = runs
        self.cases = cases
        config, notes = fit_to_data(config, cases.train)
        devices = count_devices(config.devices, batch_size=config.batch_size)
        self.config = replace(config, devices=devices)
        notes += [*notes_on(state), *notes_on_process()]
        self.notes = (*cases.notes, *notes)
        self.train_pairs = self._store(cases.train)
        self.pairs = pairs = self._store(cases.validation)
        self.trainer = self._new_trainer(state)
        self.evolution = Evolution(
            folder,
            images=pairs.images,
            references=pairs.masks,
            names=[case.case_id for _, case in cases.validation],
            threshold=THRESHOLD,
        )
        self.rows: list[dict[str, float]] = []
        self.done = self.trainer.done
        self.doubts: tuple[str, ...] = ()

    def _store(self, cases: Sequence[DatasetCase]) -> Pairs:
        """Read cases onto the disk of the run: they may be more than fit in memory."""
        root = self.folder.root
        return Pairs(*store_pairs(cases, self.config.size, folder=root))

    def start(self, info: ModelInfo, *, initial: Initial | None = None) -> None:
        """Write what a new run begins with.

        Args:
            info: What will be known about the model.
            initial: The network whose weights to begin with; None for random ones.

        Raises:
            ModelError: If the weights are broken or do not fit the network.
        """
        if initial is not None:
            own = self.config.network
            adopt_weights(
                self.trainer.network, own, initial.weights, of=initial.network
            )
            # A resume before the first epoch is done begins with them again. Before
            # the rest: what stops here leaves nothing that can be resumed without.
            save_weights(self.trainer.network, self.folder.initial_weights)
        self._write_config()
        save_info(self.folder.root, info)

    def go_on(self, *, halved_from: int | None = None) -> None:
        """Take up the state and the history of the run.

        Args:
            halved_from: The batch size that was too large, if it was just halved.

        Raises:
            ModelError: If they are broken or do not fit each other, or the weights
                that a fine-tuning begins with are gone.
        """
        self.trainer.resume()
        if not self.trainer.done and load_info(self.folder.root).initial is not None:
            self._begin_again()
        self.rows = read_history(self.folder, epochs=self.trainer.done)
        if not self.trainer.done and len(rows_of_history(self.folder)) > 1:
            msg = (
                f"cannot resume {self.folder.root}: it has a history, but no state to "
                f"go on from. Restore {self.folder.root / 'state'}, or start a new run."
            )
            raise ModelError(msg)
        self._write_config(halved_from)

    def fit(self, events: TrainEvents) -> TrainResult:
        """Train, and finish the run folder however the training ends.

        Where the device has too little memory, batches of half the size are tried once.

        Raises:
            ConfigError: If half the size is too large, too.
        """
        events.on_plan(self._plan())
        interrupted = False
        try:
            try:
                if not self.trainer.is_over:
                    self._fit(events)
            finally:
                self._finish()
            self._export()
        except KeyboardInterrupt:
            interrupted = True
        return self._result(interrupted=interrupted)

    def _fit(self, events: TrainEvents) -> None:
        try:
            self.trainer.fit(self._hooks(events))
        except OutOfMemoryError as error:
            reason = str(error)
        else:
            return
        # not in the block above: the error's frames hold tensors, and with them memory
        with deferred():  # a stop would find no trainer
            self._halve_batches(reason)
        events.on_plan(self._plan())
        try:
            self.trainer.fit(self._hooks(events))
        except OutOfMemoryError as error:
            msg = f"out of memory again ({error}). {self._remedy}"
            raise ConfigError(msg) from error

    def _halve_batches(self, reason: str) -> None:
        """Go back to the last whole epoch, to go on with half as many cases a step."""
        before, devices = self.config.batch_size, self.trainer.devices
        halved = before // 2 // devices * devices
        if not halved or place().count > 1:
            step = f"{before} case{'s' * (before > 1)} a step"
            msg = f"out of memory with {step} ({reason}). {self._remedy}"
            raise ConfigError(msg)
        self.config = replace(self.config, batch_size=halved)
        del self.trainer  # and the memory that it holds
        free_memory()
        self.trainer = self._new_trainer(load_state(self.folder.root / "state"))
        self.go_on(halved_from=before)
        self.done = self.trainer.done
        self.notes = (
            f"out of memory ({reason}): going on after epoch {self.done} with a batch "
            f"size of {self.config.batch_size}, not {before}.",
        )

    @property
    def _remedy(self) -> str:
        return (
            "Close what else takes memory and go on with --resume, or start a new run "
            "with a smaller --batch-size or --size, or fewer --filters."
        )

    def _new_trainer(self, state: TrainingState | None) -> Trainer:
        return Trainer(
            self.config,
            self.train_pairs,
            self.pairs,
            self.folder.root,
            state=state,
        )

    def _export(self) -> None:
        """Write the network for `predict`; without it, predicting starts slowly."""
        if has_current_onnx(self.folder.root):
            return
        try:
            export_onnx(self.folder.root)
        except (ModelError, OutputError) as error:
            self.doubts = (f"{error} 'lungcli predict' will load Keras instead.",)

    def _begin_again(self) -> None:
        weights = self.folder.initial_weights
        if not weights.is_file():
            msg = (
                f"cannot resume {self.folder.root}: it fine-tunes a network, but "
                f"{weights} is missing. Restore it, or start a new run."
            )
            raise ModelError(msg)
        load_weights(self.trainer.network, weights)

    def _write_config(self, halved_from: int | None = None) -> None:
        write_config(
            self.folder,
            settings=self.config.to_dict(),
            data={dataset.root: dataset.name for dataset in self.cases.datasets},
            division=self.cases.division,
            halved_from=halved_from,
        )

    def _hooks(self, events: TrainEvents) -> Hooks:
        scorer = ValidationScorer(self.cases.validation, threshold=THRESHOLD)

        def score(batches: Iterable[Any]) -> Logs:
            return scorer(self.evolution.watch(batches))

        def on_step(step: int, logs: Logs) -> None:
            events.on_step(self.done + 1, step, logs)

        def on_epoch(epoch: int, logs: Logs) -> None:
            self.done = epoch
            self.rows.append({"epoch": float(epoch), **logs})
            write_history(self.folder, self.rows)
            self.evolution.draw(epoch, logs[VAL_DICE])
            if self.runs is not None:
                # not before: `latest` means a run that has weights
                point_latest_to(self.folder, runs=self.runs)
            events.on_epoch(epoch, logs)

        return Hooks(score=score, on_step=on_step, on_epoch=on_epoch)

    def _finish(self) -> None:
        if not self.rows:
            return
        names = [name for name in self.rows[0] if name != "epoch"]
        curves = {name: [row[name] for row in self.rows] for name in names}
        figure = draw_curves(curves, title=self.folder.root.name)
        save_figure(figure, self.folder.curves)
        self.evolution.write_film()

    def _plan(self) -> TrainPlan:
        best = self._result(interrupted=False).best_dice
        return TrainPlan(
            run=self.folder.root,
            config=self.config,
            division=self.cases.division,
            first_epoch=self.done + 1,
            best_dice=0.0 if math.isnan(best) else best,
            steps=len(self.trainer.batches),
            num_train=len(self.cases.train),
            num_validation=len(self.cases.validation),
            parameters=self.trainer.network.count_params(),
            precision=self.trainer.policy,
            notes=self.notes,
        )

    def _result(self, *, interrupted: bool) -> TrainResult:
        return TrainResult(
            run=self.folder,
            history=tuple(self.rows),
            epochs=self.config.epochs,
            keep=self.config.keep,
            throughput=self.trainer.meter.throughput,
            hardware=computing_unit(
                self.trainer.policy, cores=num_cores(), devices=self.trainer.devices
            ),
            interrupted=interrupted,
            doubts=self.doubts,
        )
