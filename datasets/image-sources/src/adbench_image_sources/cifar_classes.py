"""The names of CIFAR-10's classes: for hook modules, without any array library."""

from typing import Literal, get_args

ClassName = Literal["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
#: In the order of their labels.
CLASSES: tuple[ClassName, ...] = get_args(ClassName)
