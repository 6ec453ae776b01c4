"""How often a gate is wrong, in worlds whose truth is known: `make gauntlet`."""
