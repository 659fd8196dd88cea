"""Synthetic frontal CXRs with exact masks of both lungs: the embedded data."""

from lungcli.phantom.drawing import Phantom, draw_phantom
from lungcli.phantom.write import write_montgomery

__all__ = ["Phantom", "draw_phantom", "write_montgomery"]
