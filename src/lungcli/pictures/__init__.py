"""Arrays to pictures: overlays, panels, sheets, curves, GIFs."""
