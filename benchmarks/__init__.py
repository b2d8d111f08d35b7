"""How fast it is: measured in one run, compared within that run."""
