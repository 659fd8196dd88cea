"""What is behind URLs: object stores and web servers."""
