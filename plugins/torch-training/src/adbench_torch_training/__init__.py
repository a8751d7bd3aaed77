"""What adbench's detectors in PyTorch share: each module has one purpose, see the package's README."""
