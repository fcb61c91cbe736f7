"""`python -m standin path/to/Module --test | --screenshot FILE`."""

import argparse
import sys

import standin


def main() -> int:
    """Load a module; test it or take its picture."""
    parser = argparse.ArgumentParser(prog="python -m standin", description=standin.__doc__)
    parser.add_argument("module", help="folder or .py file of a scripted module")
    parser.add_argument("--test", action="store_true", help="run the module's own test class")
    parser.add_argument("--screenshot", metavar="FILE", help="save a picture of its panel beside the views")
    options = parser.parse_args()
    widget = standin.load_module(options.module)
    if options.screenshot:
        print(f"Saved {standin.screenshot(options.screenshot)}")
    if options.test:
        print(f"{standin.run_tests(widget.moduleName)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
