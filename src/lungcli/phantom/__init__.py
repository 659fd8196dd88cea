"""Synthetic frontal CXRs with exact masks of lungs and heart: the embedded data."""

from lungcli.phantom.drawing import Phantom, draw_phantom
from lungcli.phantom.write import write_montgomery, write_structures

__all__ = ["Phantom", "draw_phantom", "write_montgomery", "write_structures"]
