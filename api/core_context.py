#!/usr/bin/env python3
"""Makes the C table of built-in contexts from api/core_context.tsv.

usage: core_context.py TABLE OUTPUT

Refuses a table that does not say exactly one thing about each term in each
version, so that a slip ends the build and not a request.
"""

import json
import sys

VERSIONS = ["1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"]
DOCUMENTS = VERSIONS + ["proof"]  # bit n of a row's set is document n
PLAIN = {"@version": "1.1", "@protected": "true"}

HEADER = """/* Generated from api/core_context.tsv by api/core_context.py; do not edit. */
#include "model/context_core.h"

#include <stddef.h>

const struct context_row CONTEXT_ROWS[] = {
"""


def versions_of(text):
    """The set of documents that "1.3-1.4,1.6-" names, as a bit mask."""
    if text == "proof":
        return 1 << DOCUMENTS.index("proof")
    mask = 0
    for part in text.split(","):
        first, dash, last = part.partition("-")
        last = (last or VERSIONS[-1]) if dash else first
        a, b = VERSIONS.index(first), VERSIONS.index(last)
        if a > b:
            raise ValueError(f"{part} runs backwards")
        for i in range(a, b + 1):
            mask |= 1 << i
    return mask


def read_table(path):
    rows, seen = [], {}
    with open(path, encoding="ascii") as table:
        for number, line in enumerate(table, 1):
            line = line.rstrip("\n")
            if line.startswith("#"):
                continue
            try:
                term, iri, coercion, container, versions = line.split("\t")
                if not term or not iri:
                    raise ValueError("a term and what it stands for are needed")
                last = term.rpartition(">")[2]
                if iri != PLAIN.get(last, iri):
                    raise ValueError(f"{term} must be {PLAIN[last]}")
                mask = versions_of(versions)
                if seen.get(term, 0) & mask:
                    raise ValueError(f"{term} is there twice in one version")
            except ValueError as error:
                sys.exit(f"{path}:{number}: {error}")
            seen[term] = seen.get(term, 0) | mask
            rows.append((term, iri, coercion, container, mask))
    for term, mask in seen.items():
        parent = term.rpartition(">")[0]
        if parent and mask & ~seen.get(parent, 0):
            sys.exit(f"{path}: {term} is scoped by a term that some version lacks")
    return rows


def quoted(text):
    return "NULL" if text == "-" else json.dumps(text)


def main():
    table, output = sys.argv[1:]
    rows = read_table(table)
    with open(output, "w", encoding="ascii") as out:
        out.write(HEADER)
        for term, iri, coercion, container, mask in rows:
            out.write(f"    {{{quoted(term)}, {quoted(iri)}, {quoted(coercion)}, "
                      f"{quoted(container)}, 0x{mask:02x}}},\n")
        out.write("};\n")
        out.write(f"const unsigned CONTEXT_ROW_COUNT = {len(rows)};\n")


if __name__ == "__main__":
    main()
