"""The registry of checks of the documents: functions that take the program's path and assert."""
import os

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))

ROWS = []


def row(name):
    def register(function):
        ROWS.append((name, function))
        return function
    return register


def same(actual, expected, what):
    if actual != expected:
        raise AssertionError(f"{what}:\n  is       {actual!r}\n  expected {expected!r}")


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8", errors="replace") as file:
        return file.read()
