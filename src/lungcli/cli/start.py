"""What the script `lungcli` starts: its imports take a moment, and can be stopped."""

import sys


def main() -> None:
    """Run lungcli; Ctrl-C is no error, not even during the imports."""
    try:
        from lungcli.cli.app import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
