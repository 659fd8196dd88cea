"""Label maps in the formats that other programs read."""
