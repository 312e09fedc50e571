#!/usr/bin/env python3
"""Random queries, answered by filter_driver and by the model below, must agree.

usage: filter_oracle.py DRIVER [SEED [ROUNDS]]

The model reads clauses 4.9 and 4.23 of CIM 009 on plain JSON and shares nothing with
src/model: it never parses a query, since a query is made as a tree and written down.
"""
import datetime
import json
import random
import re
import subprocess
import sys

ANY = object()

# ---- values ----


def temporal(kind, text):
    """What text says as a DateTime, Date or Time; None when it is none."""
    if not isinstance(text, str):
        return None
    day, clock = r"(\d{4})-(\d\d)-(\d\d)", r"(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,6}))?Z"
    form = {"datetime": day + "T" + clock, "date": day, "time": clock}[kind]
    m = re.fullmatch(form, text)
    if not m:
        return None
    groups = list(m.groups())
    if kind != "date":
        fraction = groups.pop()
        groups.append((fraction or "").ljust(6, "0"))
    if kind == "time":
        groups = ["1970", "1", "1"] + groups
    return datetime.datetime(*(int(g) for g in groups))


def compare(target, operand):
    """-1, 0 or 1; None when the data types differ."""
    kind, value = operand
    if kind == "number":
        if isinstance(target, bool) or not isinstance(target, (int, float)):
            return None
    elif kind == "bool":
        return 0 if isinstance(target, bool) and target == value else None
    elif kind == "string":
        if not isinstance(target, str):
            return None
        target, value = target.encode(), value.encode()
    else:
        target, value = temporal(kind, target), temporal(kind, value)
        if target is None:
            return None
    return (target > value) - (target < value)


def plain(target):
    """A JSON-LD value object is its value."""
    if isinstance(target, dict) and "@value" in target:
        return target["@value"]
    return target


def equal(target, term):
    target = plain(target)
    if isinstance(target, list):
        return any(equal(t, term) for t in target if not isinstance(t, list))
    if term.get("range"):
        low, high = (compare(target, o) for o in term["values"])
        return low in (0, 1) and high in (0, -1)
    return any(compare(target, o) == 0 for o in term["values"])


def meets(target, term):
    op = term["op"]
    if op is None:
        return True
    if op == "==":
        return equal(target, term)
    if op == "!=":
        return not equal(target, term)
    target = plain(target)
    if op in ("~=", "!~="):
        if not isinstance(target, str):
            return False
        python = term["pattern"].replace("$", r"\Z")  # there '$' is also before a last newline
        return (re.search(python, target) is not None) == (op == "~=")
    order = compare(target, term["values"][0])
    return order in {">": (1,), ">=": (0, 1), "<": (-1,), "<=": (-1, 0)}[op]


def map_meets(strings, term):
    """Of a language map: some string meets it; != and !~= want that none meets the opposite."""
    opposite = {"!=": "==", "!~=": "~="}.get(term["op"])
    if not opposite:
        return any(meets(s, term) for s in strings)
    if opposite == "~=":
        strings = [s for s in strings if isinstance(s, str)]
    return bool(strings) and not any(meets(s, dict(term, op=opposite)) for s in strings)


VALUE = {
    "Property": "value",
    "GeoProperty": "value",
    "JsonProperty": "json",
    "VocabProperty": "vocab",
    "ListProperty": "valueList",
    "Relationship": "object",
    "ListRelationship": "objectList",
    "LanguageProperty": "languageMap",
}


def instance_meets(inst, term):
    kind, path = inst["type"], term["value_path"]
    if term["member"]:
        text = inst.get(term["member"])
        if term["member"] == "observedAt" and text and term["op"]:
            as_time = dict(term, values=[("datetime", v) if k == "string" and temporal("datetime", v)
                                         else ("never", v) if k == "string" else (k, v)
                                         for k, v in term["values"]])
            return meets_time(text, as_time)
        return text is not None and meets(text, term)
    target = inst[VALUE[kind]]
    if "Relationship" in kind and term["op"] not in (None, "==", "!="):
        return False
    if kind == "LanguageProperty" and len(path) < 2:
        wanted = path[0].lower() if path and path[0] != "*" else None
        return map_meets([v for k, v in target.items() if wanted in (None, k.lower())], term)
    for step in path:
        target = target.get(step, ANY) if isinstance(target, dict) else ANY
    return target is not ANY and meets(target, term)


def meets_time(text, term):
    """An instant: only DateTimes compare, patterns never match."""
    if term["op"] in ("~=", "!~="):
        return False
    values = [v if v[0] == "datetime" else ("bool", None) for v in term["values"]]
    return meets(text, dict(term, values=values))


def instances(thing, name):
    found = thing.get(name, [])
    return found if isinstance(found, list) else [found]


def path_meets(thing, path, term):
    for inst in instances(thing, path[0]):
        if len(path) == 1 and instance_meets(inst, term):
            return True
        if len(path) > 1 and path_meets(inst, path[1:], term):
            return True
    return False


def term_meets(entity, term, links, world):
    if not links:
        return path_meets(entity, term["path"], term)
    name, types = links[0]
    for inst in instances(entity, name):
        if "Relationship" not in inst["type"]:
            continue
        targets = inst[VALUE[inst["type"]]]
        for uri in targets if isinstance(targets, list) else [targets]:
            linked = world.get(uri)
            if linked and (not types or linked["type"] in types):
                if term_meets(linked, term, links[1:], world):
                    return True
    return False


def matches(entity, tree, world):
    kind, parts = tree
    if kind == "and":
        return all(matches(entity, p, world) for p in parts)
    if kind == "or":
        return any(matches(entity, p, world) for p in parts)
    if kind == "not":
        return not matches(entity, parts, world)
    return term_meets(entity, parts, parts["links"], world)


# ---- making entities ----

STRINGS = ["x", "y", "xy", "", "x\"y", "é", "\n", "2020-01-01", "2020-01-01T00:00:00Z",
           "2020-01-01T00:00:00.5Z", "10:00:00Z", "urn:e:1", "urn:e:2", "5", "true"]
TIMES = ["2019-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.500Z"]


def scalar(r):
    return r.choice([r.randint(-1, 5), r.choice([2.5, 1e3, -0.5]), r.choice(STRINGS),
                     r.choice([True, False])])


def value(r):
    shape = r.randint(0, 9)
    if shape < 6:
        return scalar(r)
    if shape < 8:
        return [scalar(r) for _ in range(r.randint(0, 3))]
    if shape == 8:
        return {"@type": "DateTime", "@value": r.choice(STRINGS)}
    return {"k": scalar(r), "m": {"n": scalar(r), "o": [scalar(r)]}}


def uris(r, many):
    found = ["urn:e:%d" % i for i in r.sample(range(6), r.randint(1, 3))]
    return found if many or len(found) > 1 else found[0]


def attribute(r, name, depth):
    inst = {"type": "Property", "value": value(r)}
    if name == "r":
        inst = {"type": "Relationship", "object": uris(r, False)}
    elif name == "rl":
        inst = {"type": "ListRelationship", "objectList": uris(r, True)}
    elif name == "l":
        langs = r.sample(["en", "de", "en-GB"], r.randint(1, 3))
        inst = {"type": "LanguageProperty", "languageMap": {
            k: r.choice(["x", "y", "xy", ["x", "z"], ["y"]]) for k in langs}}
    elif name == "v":
        inst = {"type": "VocabProperty", "vocab": r.choice(["urn:v:x", ["urn:v:x", "urn:v:y"]])}
    elif name == "pl":
        inst = {"type": "ListProperty", "valueList": [scalar(r) for _ in range(r.randint(1, 3))]}
    elif name == "j":
        inst = {"type": "JsonProperty", "json": {"k": scalar(r), "m": {"n": None}}}
    if r.random() < 0.4:
        inst["observedAt"] = r.choice(TIMES)
    if r.random() < 0.2 and inst["type"] == "Property":
        inst["unitCode"] = r.choice(["CEL", "x"])
    for sub in "ab" if depth else "":
        if r.random() < 0.4:
            inst[sub] = attribute(r, sub, depth - 1)
    return inst


def entity(r, i):
    e = {"id": "urn:e:%d" % i, "type": r.choice(["A", "B"])}
    for name in ["a", "b", "r", "rl", "l", "v", "pl", "j"]:
        if r.random() < 0.5:
            continue
        e[name] = attribute(r, name, 2)
        if r.random() < 0.2:
            other = attribute(r, name, 1)
            other["datasetId"] = "urn:d:1"
            e[name] = [e[name], other]
    return e


# ---- making queries ----

PATTERNS = [("^x", None), ("y$", None), ("x|y", "(x|y)"), ("[xy]{2}", None), ("^$", None),
            ("urn:.:[12]", None)]


def operand(r, ordered):
    kind = r.choice(["number", "string", "string", "datetime", "date", "time"]
                    + ([] if ordered else ["bool", "uri"]))
    if kind == "number":
        n = r.choice([0, 1, 2, 2.5, -1, 5, 1e3])
        return ("number", n), r.choice([json.dumps(n), "%.1f" % n, "%e" % n])
    if kind == "bool":
        b = r.choice([True, False])
        return ("bool", b), json.dumps(b)
    if kind == "uri":
        u = r.choice(["urn:e:1", "urn:e:2", "urn:v:x", "x", "xy"])
        return ("string", u), u
    if kind == "string":
        s = r.choice(STRINGS)
        return ("string", s), json.dumps(s, ensure_ascii=r.random() < 0.5)
    text = r.choice({"datetime": TIMES, "date": ["2020-01-01", "2019-12-31"],
                     "time": ["10:00:00Z", "10:00:00,000Z", "09:59:59Z"]}[kind])
    return (kind, text), text


def comparison(r, term):
    op = r.choice([None, "==", "==", "!=", "!=", "<", "<=", ">", ">=", "~=", "!~="])
    term["op"] = op
    if op is None:
        return ""
    gap = r.choice(["", "", " "])
    if op in ("~=", "!~="):
        pattern, bare = r.choice(PATTERNS)
        term["pattern"] = pattern
        quoted = bare is None and r.random() < 0.5
        return op + gap + ((bare or pattern) if quoted else json.dumps(pattern))
    count = 1
    if op in ("==", "!="):
        if r.random() < 0.2:
            while True:
                (low, a), (high, b) = operand(r, True), operand(r, True)
                if low[0] == high[0]:
                    break
            term.update(range=True, values=[low, high])
            return op + gap + a + ".." + b
        count = r.choice([1, 1, 2, 3])
    made = [operand(r, op not in ("==", "!=")) for _ in range(count)]
    term["values"] = [m[0] for m in made]
    return op + gap + ("," + r.choice(["", " "])).join(m[1] for m in made)


NAMES = ["a", "b", "r", "rl", "l", "v", "pl", "j", "a", "b", "nothing"]


def make_term(r):
    term = {"links": [], "path": [r.choice(NAMES)], "member": None, "value_path": [], "values": []}
    text = ""
    while r.random() < 0.2 and len(term["links"]) < 3:
        types = r.choice([[], [], ["A"], ["A", "B"], ["C"]])
        name = r.choice(["r", "rl"])
        term["links"].append((name, types))
        text += name + "{" + (",".join(types) + ":" if types else "")
    while r.random() < 0.3:
        term["path"].append(r.choice("ab"))
    text += ".".join(term["path"])
    if r.random() < 0.15:
        term["member"] = r.choice(["observedAt", "unitCode", "datasetId"])
        text += "." + term["member"]
    elif r.random() < 0.25:
        term["value_path"] = r.choice([["k"], ["m", "n"], ["m"], ["*"], ["en"], ["EN-gb"], ["m", "o"]])
        text += "[" + ".".join(term["value_path"]) + "]"
    text += "}" * len(term["links"]) + r.choice(["", "", " "])
    return ("term", term), text + comparison(r, term)


def make_tree(r, depth):
    shape = r.random()
    if depth == 0 or shape < 0.4:
        return make_term(r)
    if shape < 0.5:
        tree, text = make_tree(r, depth - 1)
        return ("not", tree), "!(" + text + ")"
    kind, sign = ("and", ";") if shape < 0.75 else ("or", "|")
    parts = [make_tree(r, depth - 1) for _ in range(r.randint(2, 3))]
    texts = ["(" + text + ")" if kind == "and" and tree[0] == "or" or r.random() < 0.2 else text
             for tree, text in parts]
    return (kind, [p[0] for p in parts]), (r.choice(["", " "]) + sign).join(texts)


# ---- orders ----


def weight(e, path, member):
    """Rank and value by clause 4.23.2; strings here are such that ICU's root order is the code points'."""
    thing = e
    for step in path:
        found = instances(thing, step)
        if not found:
            return (9, 0)
        thing = found[0]
    v = thing.get(member) if member else plain(thing[VALUE[thing["type"]]])
    if thing["type"] == "LanguageProperty" and not member:
        v = next(iter(v.values()))
        v = v[0] if isinstance(v, list) else v
    if v is None:
        return (8 if not member else 9, 0)
    for rank, kind in ((7, "datetime"), (6, "date"), (5, "time")):
        if temporal(kind, v) is not None:
            return (rank, temporal(kind, v))
    if isinstance(v, bool):
        return (4, v)
    if isinstance(v, (int, float)):
        return (0, v)
    return (1, v) if isinstance(v, str) else (2 if isinstance(v, dict) else 3, 0)


def orderable(e):
    """Leaves what has one obvious order: no texts of objects and arrays, no signs and accents."""
    text = json.dumps(e)
    return not re.search(r'[\[{]"?value|"value": [\[{]|é|\\|u00', text) and "valueList" not in text


def make_order(r):
    keys = []
    for _ in range(r.randint(1, 3)):
        path = [r.choice(["a", "b", "l"])] + (["a"] if r.random() < 0.2 else [])
        keys.append((path, "observedAt" if r.random() < 0.2 else None, r.random() < 0.5))
    text = ",".join(".".join(p + ([m] if m else [])) + (";desc" if d else r.choice(["", ";asc"]))
                    for p, m, d in keys)
    return keys, text


def sort_by(entities, keys):
    order = list(range(len(entities)))
    for path, member, descending in reversed(keys):
        weights = [weight(e, path, member) for e in entities]
        if descending:  # values turn around within their rank
            ranks = sorted({w[0] for w in weights})
            order = [i for rank in ranks for i in sorted(
                (k for k in order if weights[k][0] == rank),
                key=lambda k: weights[k][1], reverse=True)]
        else:
            order.sort(key=lambda k: weights[k])
    return order


def main():
    driver = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    r = random.Random(seed)
    p = subprocess.Popen([driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(line):
        p.stdin.write(line + "\n")
        p.stdin.flush()
        return p.stdout.readline().rstrip("\n")

    asked = positive = 0
    for _ in range(rounds):
        p.stdin.write("C\n")
        entities = [entity(r, i) for i in range(8)]
        world = {e["id"]: e for e in entities}
        for e in entities:
            p.stdin.write("E" + json.dumps(e) + "\n")
        for _ in range(40):
            tree, text = make_tree(r, 2)
            expected = "".join("01"[matches(e, tree, world)] for e in entities)
            found = ask("Q" + text)
            if found != expected:
                print("q =", text, "\ntree =", tree, "\nexpected", expected, "found", found)
                for e, x, y in zip(entities, expected, found):
                    if x != y:
                        print(json.dumps(e))
                return 1
            asked += 1
            positive += "1" in expected
        entities = [e for e in entities if orderable(e)]
        p.stdin.write("C\n" + "".join("E" + json.dumps(e) + "\n" for e in entities))
        for _ in range(10 if entities else 0):
            keys, text = make_order(r)
            expected = " ".join(map(str, sort_by(entities, keys)))
            found = ask("O" + text)
            if found != expected:
                print("orderBy =", text, "\nexpected", expected, "found", found)
                for e in entities:
                    print(json.dumps(e))
                return 1
            asked += 1
    p.stdin.close()
    print("%d questions, %d with matches" % (asked, positive))
    return 0 if p.wait() == 0 and positive > asked / 10 else 1


if __name__ == "__main__":
    sys.exit(main())
