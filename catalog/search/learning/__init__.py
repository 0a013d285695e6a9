"""What learns while a search asks for labels: a predictor behind the door, given what the search looks at."""
