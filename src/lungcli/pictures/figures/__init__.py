"""Charts for papers, in Matplotlib: PNG, SVG and PDF."""
