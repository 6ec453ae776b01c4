"""What a run of the bench measures, and the page that is made of it."""
