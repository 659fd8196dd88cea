"""`lungcli train`: one network, from prepared cases to a run folder."""
