"""Images that several test modules corrupt, real ones: no file outside the packages is needed."""

import numpy as np
import pytest
from adbench_image_sources import photographs
from adbench_image_sources.drawing import to_unit
from adbench_image_sources.standins import fashion_sample


@pytest.fixture(scope="session")
def grey():
    return to_unit(fashion_sample().test[::25])  # (40, 28, 28, 1)


@pytest.fixture(scope="session")
def colour():
    return to_unit(np.ascontiguousarray(photographs.read(photographs.find()).test[::25]))  # (40, 32, 32, 3)


@pytest.fixture(params=["grey", "colour"])
def images(request):
    return request.getfixturevalue(request.param)
