"""One module per command: joins data, nn, metrics and pictures. No Typer, no Rich."""
