"""Reads the declared tables of this folder; what breaks their rules ends the build."""
import sys


def rows(path, columns):
    """Lines of a table: fields are separated by tabs, lines that begin with # are comments."""
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) != columns:
                sys.exit(f"{path}:{number}: {len(fields)} columns, {columns} expected")
            yield fields


def listed(text):
    return [] if text == "-" else text.split(",")
