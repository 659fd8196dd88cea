"""One module per folder layout."""
