"""How a run begins, and how it goes on where it was stopped."""

from lungcli.errors import ModelError
from lungcli.model.info import ModelInfo, load_info, save_info
from lungcli.nn.model_file import adopt_weights, load_weights, save_weights
from lungcli.nn.trainer import Trainer
from lungcli.workflows.training.fine_tuning import Initial
from lungcli.workflows.training.record import RunRecord
from lungcli.workflows.training.setup import TrainingSetup


def start_new(
    setup: TrainingSetup,
    trainer: Trainer,
    info: ModelInfo,
    *,
    initial: Initial | None = None,
) -> None:
    """Give the network its first weights, and write what a new run begins with.

    Args:
        setup: What the trainer is made of.
        trainer: A new one.
        info: What will be known about the model.
        initial: The network whose weights to begin with; None for random ones.

    Raises:
        ModelError: If the weights are broken or do not fit the network.
    """
    folder = setup.folder
    if initial is not None:
        own = setup.config.network
        adopt_weights(trainer.network, own, initial.weights, of=initial.network)
        # A resume before the first epoch is done begins with them again. Before
        # the rest: what stops here leaves nothing that can be resumed without.
        save_weights(trainer.network, folder.initial_weights)
        info = initial.record_in(info)
    setup.write_config()
    save_info(folder.root, info)


def take_up(
    setup: TrainingSetup,
    trainer: Trainer,
    record: RunRecord,
    *,
    halved_from: int | None = None,
) -> None:
    """Take up the state and the history of a run.

    Args:
        setup: What the trainer is made of.
        trainer: One that was made with the state.
        record: Gets the history.
        halved_from: The batch size that was too large, if it was just halved.

    Raises:
        ModelError: If they are broken or do not fit each other, or the weights
            that a fine-tuning begins with are gone.
    """
    trainer.resume()
    if not trainer.done and load_info(setup.folder.root).initial is not None:
        _load_initial_weights(setup, trainer)
    record.take_up(epochs=trainer.done)
    setup.write_config(halved_from=halved_from)


def _load_initial_weights(setup: TrainingSetup, trainer: Trainer) -> None:
    weights = setup.folder.initial_weights
    if not weights.is_file():
        msg = (
            f"cannot resume {setup.folder.root}: it fine-tunes a network, but "
            f"{weights} is missing. Restore it, or start a new run."
        )
        raise ModelError(msg)
    load_weights(trainer.network, weights)
