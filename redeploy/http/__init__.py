"""What came of one HTTP request, and who answered it: values in, values out. Imports nothing else of ours."""
