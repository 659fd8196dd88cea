"""`lungcli stress`: how much of an X-ray may be spoilt."""
