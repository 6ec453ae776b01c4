"""Fuzzing of what reads and writes text from outside: `make fuzz`."""
