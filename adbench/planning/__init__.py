"""From names on a command line to the exact trials to run."""
