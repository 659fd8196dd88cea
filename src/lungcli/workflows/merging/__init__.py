"""`lungcli merge`: the parts of a prediction joined."""
