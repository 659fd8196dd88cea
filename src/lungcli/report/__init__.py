"""The page to look through: scores and pictures of an evaluation, in HTML."""
