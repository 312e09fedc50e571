#!/usr/bin/env python3
"""Makes the C tables of the NGSI-LD front end from parameters.tsv and endpoints.tsv.

usage: generate_endpoints.py PARAMETERS ENDPOINTS HEADER SOURCE
"""
import sys

from tables import listed, rows


def constant(prefix, name):
    out = ""
    for c in name:
        out += "_" + c if c.isupper() else c.upper()
    return prefix + out.upper()


def mask(prefix, names):
    return " | ".join(f"{prefix}BIT({constant(prefix, n)})" for n in names) or "0"


def main(parameters_path, endpoints_path, header, source):
    parameters = sorted(r[0] for r in rows(parameters_path, 4))
    endpoints = list(rows(endpoints_path, 8))
    options = sorted({o for e in endpoints for o in listed(e[4])})
    for e in endpoints:
        unknown = set(listed(e[3])) - set(parameters)
        if unknown:
            sys.exit(f"{endpoints_path}: {e[0]}: undeclared parameters {sorted(unknown)}")
    banner = "/* Made by api/generate_endpoints.py; do not edit. */\n"
    with open(header, "w", encoding="utf-8") as f:
        f.write(banner + "#ifndef API_ENDPOINTS_H\n#define API_ENDPOINTS_H\n\n#include <stdint.h>\n\n")
        for prefix, names in (("PARAM_", parameters), ("KEYWORD_", options)):
            f.write("enum {\n" + "".join(f"    {constant(prefix, n)},\n" for n in names) + f"    {prefix[:-1]}S\n}};\n\n")
            f.write(f"#define {prefix}BIT(x) (UINT64_C(1) << (x))\n\n")
        f.write("enum {\n" + "".join(f"    OPERATION_{e[0].upper()},\n" for e in endpoints) + "    OPERATIONS\n};\n\n")
        f.write("enum { BODY_NONE, " + ", ".join(f"BODY_{b.upper()}" for b in sorted({e[5] for e in endpoints} - {"-"})) + " };\n\n")
        f.write("""enum { SEGMENTS_MAX = 6 };

struct endpoint {
    const char *operation;
    const char *method;
    uint8_t segment_count;
    const char *segments[SEGMENTS_MAX]; /* NULL: a variable */
    uint64_t params;
    uint64_t keywords;
    uint8_t body;
};

extern const struct endpoint ENDPOINTS[OPERATIONS];
extern const char *const PARAM_NAMES[PARAMS];     /* sorted */
extern const char *const KEYWORD_NAMES[KEYWORDS]; /* sorted */

#endif
""")
    with open(source, "w", encoding="utf-8") as f:
        f.write(banner + '#include "api_endpoints.h"\n\n#include <stddef.h>\n\n')
        for name, values in (("PARAM", parameters), ("KEYWORD", options)):
            f.write(f"const char *const {name}_NAMES[{name}S] = {{\n" + "".join(f'    "{v}",\n' for v in values) + "};\n\n")
        f.write("const struct endpoint ENDPOINTS[OPERATIONS] = {\n")
        for operation, method, path, params, keywords, body, _clause, _summary in endpoints:
            segments = path.split("/")
            cells = ", ".join("NULL" if s.startswith("{") else f'"{s}"' for s in segments)
            body = "BODY_NONE" if body == "-" else f"BODY_{body.upper()}"
            f.write(f'    {{"{operation}", "{method}", {len(segments)}, {{{cells}}},\n     {mask("PARAM_", listed(params))},\n     {mask("KEYWORD_", listed(keywords))}, {body}}},\n')
        f.write("};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
