"""`lungcli evaluate`: scores of networks and of masks, and their report."""
