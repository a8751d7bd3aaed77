"""The pair and the suites keep the contract of every dataset, in every profile."""

import pytest
from adbench_image_pairs import adbench_datasets

from adbench.testing import dataset_checks


@pytest.mark.parametrize("check", dataset_checks(*adbench_datasets()), ids=str)
def test_contract(check):
    """Each task is sound on the data that is here."""
    check()
