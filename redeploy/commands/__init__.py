"""The commands for a terminal. A command is a module here with `declare(parser)` and `run(arguments) -> int`."""
