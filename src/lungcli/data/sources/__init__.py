"""One module per folder layout; `find_sources` tells them apart."""

from lungcli.data.sources.find import find_sources

__all__ = ["find_sources"]
