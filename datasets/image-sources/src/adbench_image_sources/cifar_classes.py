"""The names of CIFAR-10's classes, in the order of their labels: for hook modules, without any array library."""

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
