"""The result of one HTTP request, and who responded: values in, values out. Imports nothing else of ours."""
