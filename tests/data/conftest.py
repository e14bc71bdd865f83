"""Fixtures that several files here share."""

import pytest

from ptn_semi.data import preparation
from support.small_sets import small


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return small(tmp_path_factory.mktemp("procedural"))


@pytest.fixture(scope="module")
def builder(settings):
    return preparation.prepare(settings)
