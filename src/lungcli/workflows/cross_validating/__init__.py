"""`lungcli train --folds`: every case scored by a network that never saw it."""
