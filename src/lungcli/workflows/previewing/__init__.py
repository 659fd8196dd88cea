"""`lungcli augment-preview`: what training sees."""
