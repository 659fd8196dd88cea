"""Every published number, in NumPy and SciPy; no files."""
