"""Running trials: each in a process of its own, under limits, with every outcome told."""
