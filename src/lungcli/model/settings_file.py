"""Settings of a training from a TOML file."""

import tomllib
from pathlib import Path
from typing import Any, Final

from lungcli.errors import ConfigError
from lungcli.system.files import read_plain

# tomllib takes time by the square of how deep tables nest
_MOST_BYTES: Final = 2**16


def read_settings(path: Path) -> dict[str, Any]:
    """Return the settings of a TOML file; dashes in names count as underscores.

    Raises:
        ConfigError: If the file is missing, or no TOML of a sensible size.
    """
    try:
        document = tomllib.loads(read_plain(path, _MOST_BYTES).decode("utf-8"))
    except OSError as error:
        msg = (
            f"cannot read the configuration {path} ({error.strerror}). Check its name "
            "and its permissions."
        )
        raise ConfigError(msg) from error
    except RecursionError as error:
        msg = f"{path} is nested too deeply. Write lines like: epochs = 60"
        raise ConfigError(msg) from error
    except ValueError as error:  # too large, no UTF-8, no TOML
        msg = f"{path} is no TOML file ({error}). Write lines like: epochs = 60"
        raise ConfigError(msg) from error
    return {name.replace("-", "_"): value for name, value in document.items()}
