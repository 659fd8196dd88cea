"""One module per folder layout; `find_sources` tells them apart."""

from lungcli.data.sources.find import AUTO, LAYOUTS, check_names, find_sources

__all__ = ["AUTO", "LAYOUTS", "check_names", "find_sources"]
