"""`lungcli prepare`: from folders of X-rays and masks to a prepared data set."""
