"""From probabilities to label maps, and the connected parts of masks."""
