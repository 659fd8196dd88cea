"""One module per folder layout; `find_sources` tells them apart."""

from lungcli.data.sources.find import AUTO, LAYOUTS, find_sources

__all__ = ["AUTO", "LAYOUTS", "find_sources"]
