"""One folder per command, and `shared`. No Typer, no Rich, no Keras."""
