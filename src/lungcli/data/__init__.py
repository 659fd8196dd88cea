"""From any source folder to prepared pairs on disk, and back. No Keras here."""
