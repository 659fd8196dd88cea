"""Run `lungcli demo` with a training of seconds.

The first argument is the module of the demo. Its defaults are changed in the function
itself, so that it does not matter who has imported it.
"""

import importlib
import runpy
import sys

import lungcli

if __name__ == "__main__":
    config = lungcli.TrainConfig(size=64, filters=8, depth=2, epochs=2, batch_size=4)
    function = importlib.import_module(sys.argv.pop(1)).demo
    function.__kwdefaults__ |= {"config": config, "num_phantoms": 7}
    runpy.run_module("lungcli", run_name="__main__", alter_sys=True)
