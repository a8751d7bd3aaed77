"""The checks that every detector must pass."""

import pytest
from adbench_keras_autoencoders import adbench_detectors

from adbench.testing import detector_checks


@pytest.mark.parametrize("check", detector_checks(*adbench_detectors()), ids=str)
def test_contract(check):
    """The check's own text is the claim."""
    check()
