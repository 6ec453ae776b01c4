"""How often a gate is wrong, in worlds whose true state is known: `make gauntlet`."""
