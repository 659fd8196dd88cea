"""Draw the phantoms of all steps."""

from pathlib import Path

import lungcli

if __name__ == "__main__":
    draw = lungcli.write_montgomery
    draw(Path("phantoms"), count=12, size=160, workers=1)
    draw(Path("other"), count=8, seed=1, size=128, workers=1)
