"""`slicer.testing`: how a test run inside Slicer ends."""

import sys
import unittest

from standin.api import document
from standin.application.strict import StrictModule


def exitSuccess() -> None:
    """The run was good."""


def exitFailure(message: str = "") -> None:
    """The run was bad: an exception, after which Slicer exits with 1."""
    raise Exception(message)


def runUnitTest(path: str | list[str], testname: str) -> None:
    """Run the tests of one Python module."""
    sys.path.extend([path] if isinstance(path, str) else path)
    suite = unittest.TestLoader().loadTestsFromName(testname)
    if not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful():
        exitFailure()


def testing_module() -> StrictModule:
    """The module `slicer.testing`."""
    module = StrictModule("slicer.testing", "Ends of test runs", document()["slicer.testing"])
    for function in (exitSuccess, exitFailure, runUnitTest):
        setattr(module, function.__name__, function)
    return module
