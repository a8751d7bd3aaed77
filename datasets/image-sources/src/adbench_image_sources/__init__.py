"""Where images come from: a library that the image packages of adbench share; it is no plugin itself.

A source finds a set's official files, a partial copy or a stand-in, and decodes them. ``remote``, ``parts``
and ``cifar_classes`` need no array library.
"""
