"""What Keras computes on, for people to read."""

import importlib
from dataclasses import dataclass

import keras

from lungcli.nn.precision import dtype_policy, list_devices
from lungcli.system.nvidia_gpus import note_unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What Keras computes on.

    Attributes:
        backend: Name of the library below Keras.
        devices: What it found, such as `cpu:0` or `gpu:0`.
        accelerators: Names of the models of the GPUs; empty without one.
        formats: Numbers that are fast here, as `--precision` names them.
        auto: What `--precision auto` becomes, likewise.
        unseen_gpu: Which NVIDIA GPU it does not see, and what to install; None if
            nothing is wrong.
    """

    backend: str
    devices: tuple[str, ...]
    accelerators: tuple[str, ...]
    formats: tuple[str, ...]
    auto: str
    unseen_gpu: str | None


def find_hardware() -> Hardware:
    """Return what Keras computes on in this process.

    Raises:
        ConfigError: If the backend finds nothing that it may use.
    """
    auto = number_format(dtype_policy("auto"))
    return Hardware(
        backend=keras.backend.backend(),
        devices=list_devices(),
        accelerators=accelerators(),
        formats=("float32", "bfloat16") if auto == "bfloat16" else ("float32",),
        auto=auto,
        unseen_gpu=unseen_gpu(),
    )


def number_format(policy: str) -> str:
    """Return the format that a dtype policy computes in.

    Examples:
        >>> number_format("mixed_bfloat16")
        'bfloat16'
    """
    return policy.removeprefix("mixed_")


def accelerators() -> tuple[str, ...]:
    """Return the names of the models of the GPUs; empty without one.

    Keras numbers its devices and knows no names, so the backend is asked.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        jax = importlib.import_module("jax")
        found = [device for device in jax.devices() if device.platform != "cpu"]
        return tuple(device.device_kind for device in found)
    if backend == "tensorflow":
        config = importlib.import_module("tensorflow").config
        details = config.experimental.get_device_details
        gpus = config.list_physical_devices("GPU")
        return tuple(details(gpu).get("device_name", "GPU") for gpu in gpus)
    return ()


def unseen_gpu() -> str | None:
    """Say which NVIDIA GPU Keras does not see, and what to install; None without one.

    Nothing is said to who told the backend to leave it alone.
    """
    if accelerators():
        return None
    if keras.backend.backend() == "jax":
        jax = importlib.import_module("jax")
        if jax.config.jax_platforms:
            return None
        return note_unseen("JAX", f"pip install 'jax[cuda12]=={jax.__version__}'")
    tensorflow = importlib.import_module("tensorflow")
    # its wheels for ARM have none
    if tensorflow.test.is_built_with_cuda():
        install = f"pip install 'tensorflow[and-cuda]=={tensorflow.__version__}'"
    else:
        install = "pip install 'jax[cuda12]', and set KERAS_BACKEND=jax"
    return note_unseen("TensorFlow", install)


def computing_unit(policy: str, *, cores: int, devices: int = 1) -> str:
    """Name what a network computes on, and in which numbers.

    Args:
        policy: Dtype policy of the network.
        cores: Cores of the processor, which computes where there is no GPU.
        devices: How many compute together.
    """
    unit = next(iter(accelerators()), f"{cores} core{'s' * (cores != 1)}")
    if devices > 1:
        unit = f"{devices} x {unit}"
    return f"{unit} ({number_format(policy)})"
