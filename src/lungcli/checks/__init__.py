"""What an image or its mask says of itself when there is no reference."""
