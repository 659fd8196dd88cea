"""`lungcli predict`: masks for any X-rays."""
