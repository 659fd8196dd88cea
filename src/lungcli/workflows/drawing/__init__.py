"""`lungcli visualize`: films and pictures of predictions."""
