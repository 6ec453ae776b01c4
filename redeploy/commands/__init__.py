"""What a person at a terminal can ask for. A command is a module here with `declare(parser)` and `run(arguments) -> int`."""
