"""Prints the table clause -> tests of this folder: python3 tests/conformance/clauses.py [--names]"""
import os
import sys

import pytest

sys.dont_write_bytecode = True


class Collector:
    """Tests by clause; the cases of one parametrized test count, its name stands once."""

    def __init__(self):
        self.clauses = {}

    def pytest_collection_finish(self, session):
        for item in session.items:
            for number in item.get_closest_marker("clause").args:
                names = self.clauses.setdefault(number, {})
                name = f"{item.path.name}::{item.originalname}"
                names[name] = names.get(name, 0) + 1


def key(number):
    return [int(part) for part in number.split(".")]


def main(arguments):
    collector = Collector()
    here = os.path.dirname(os.path.abspath(__file__))
    code = pytest.main(["--collect-only", "-p", "no:cacheprovider", "-p", "no:terminal", here],
                       plugins=[collector])
    if code:
        return int(code)
    for number in sorted(collector.clauses, key=key):
        names = collector.clauses[number]
        print(f"{number:10} {sum(names.values()):4} tests")
        if "--names" in arguments:
            for name, cases in sorted(names.items()):
                print(f"{'':10} {cases:4} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
