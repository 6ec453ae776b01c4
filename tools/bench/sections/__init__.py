"""What a run of the bench measures, and the page that shows it."""
