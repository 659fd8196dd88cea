"""The X-rays that a person names: files, folders, patterns, archives, lists."""

from lungcli.data.inputs.find import STDIN, find_inputs
from lungcli.data.inputs.input import Input
from lungcli.data.inputs.names import output_stems

__all__ = ["STDIN", "Input", "find_inputs", "output_stems"]
