"""Run `lungcli` with Ctrl-C after the first epoch: always at the same place.

The first argument is the module of `TrainingView`.
"""

import importlib
import runpy
import signal
import sys
from typing import Any

if __name__ == "__main__":
    view = importlib.import_module(sys.argv.pop(1)).TrainingView
    show = view.show_epoch

    def show_and_stop(self: Any, *args: Any, **named: Any) -> None:
        """Show an epoch, then stop."""
        show(self, *args, **named)
        signal.raise_signal(signal.SIGINT)

    view.show_epoch = show_and_stop
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runpy.run_module("lungcli", run_name="__main__", alter_sys=True)
