"""Fuzzing of the code that reads and writes text from outside: `make fuzz`."""
