"""Lung segmentation in chest X-rays with a U-Net.

The command `lungcli` is the way in for people; `lungcli.workflows` holds the same
steps as Python functions.
"""

__version__ = "0.1.0"
