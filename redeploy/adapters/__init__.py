"""One module for each outside world; each translates that world's exceptions at its edge."""
