"""`lungcli export`: the network in the formats of other programs."""
