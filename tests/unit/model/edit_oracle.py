#!/usr/bin/env python3
"""Long random sequences of edits, run by edit_driver and by the model below, must agree.

usage: edit_oracle.py DRIVER [SEED [STEPS]]

The model is written from the clauses on plain JSON structures and shares nothing with
src/model: an entity is a dict, its attributes {name: {datasetId: instance}}, an
instance a dict of its members with sub-attributes under "subs".
"""
import copy
import json
import random
import subprocess
import sys

NULL = "urn:ngsi-ld:null"
VALUE = {
    "Property": "value",
    "Relationship": "object",
    "GeoProperty": "value",
    "LanguageProperty": "languageMap",
    "VocabProperty": "vocab",
    "JsonProperty": "json",
    "ListProperty": "valueList",
    "ListRelationship": "objectList",
}
MEMBERS = ["unitCode", "valueType", "objectType", "observedAt", "expiresAt"]
NO_OVERWRITE, ALL_INSTANCES, KEEP, SCOPE = 1, 2, 4, 8


class Refused(Exception):
    """args: name of the status"""


def takes(kind, member):
    if member in ("observedAt", "expiresAt"):
        return True
    if member == "objectType":
        return "Relationship" in kind
    if member == "valueType":
        return "Relationship" not in kind
    return kind in ("Property", "GeoProperty", "ListProperty")


def is_null(value):
    return value in (NULL, [NULL], {"@none": NULL})


# ---- what a fragment's instance says (the part that a reader would do) ----


class Given:
    """One instance of a fragment. kind None: not said; guess: an existing one keeps its kind."""

    def __init__(self, spec):
        self.kind, self.guess, self.lang, self.common = None, False, None, None
        self.value, self.has_value, self.subs = None, False, {}
        self.set, self.nulls, self.dataset = {}, set(), ""
        if not isinstance(spec, dict):
            self.kind, self.guess, self.value, self.has_value = "Property", True, spec, True
        else:
            self.read(spec)
        self.null = self.has_value and is_null(self.value)

    def read(self, spec):
        self.kind = spec.get("type")
        if not self.kind:
            named = [k for k, m in VALUE.items() if m in spec and k != "GeoProperty"]
            if named:
                self.kind, self.guess = named[0], named[0] == "Property"
        if self.kind and VALUE[self.kind] in spec:
            self.value, self.has_value = spec[VALUE[self.kind]], True
        self.dataset = spec.get("datasetId", "")
        self.lang, self.common = spec.get("@lang"), spec.get("@observedAt")
        for member in MEMBERS:
            if spec.get(member) == NULL:
                self.nulls.add(member)
            elif member in spec:
                self.set[member] = spec[member]
        if "observedAt" in spec and spec["observedAt"] != NULL:
            self.common = None
        self.subs = given(spec)


def given(spec):
    """{name: {dataset: Given}} of the attributes in an entity or instance."""
    known = {"type", "datasetId", "scope", *MEMBERS, *VALUE.values()}
    return {
        name: {g.dataset: g for g in (Given(s) for s in specs)}
        for name, specs in spec.items()
        if name not in known and name[0] != "@"
    }


# ---- values ----


def merge_patch(target, patch):
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value == NULL:
            out.pop(key, None)
        else:
            out[key] = merge_patch(out.get(key), value)
    return out


def is_uris(value):
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(v, str) and v.startswith("urn:") for v in value)
    )


def adopt(kind, g):
    """The guessed value as one of an attribute of that kind."""
    v = g.value
    if kind == "Property":
        return v
    if kind == "Relationship" and (is_uris(v) or is_uris([v])):
        return v
    if kind == "LanguageProperty" and g.lang:
        if isinstance(v, str) or (isinstance(v, list) and all(isinstance(s, str) for s in v)):
            return {g.lang: v}
    if kind == "JsonProperty" and isinstance(v, (dict, list)):
        return v
    if kind == "ListProperty" and isinstance(v, list):
        return v
    if kind == "ListRelationship" and is_uris(v):
        return v
    raise Refused("bad_data")


# ---- instances ----


class Change:
    def __init__(self, at, merging):
        self.at, self.merging, self.notes, self.applied = at, merging, [], False

    def renew(self, was, g):
        if not g.has_value:
            raise Refused("bad_data")
        value = merge_patch(None, g.value) if self.merging else g.value
        out = {"type": g.kind, VALUE[g.kind]: value, **g.set}
        out["createdAt"] = was["createdAt"] if was else self.at
        out["modifiedAt"], out["@seq"] = self.at, 0
        had = was["subs"] if was else {}
        out["subs"] = self.lists({}, had, g.subs, self.replace)
        return out

    def lists(self, keep, had, subs, rule):
        """keep with each given instance decided by rule."""
        out = {name: dict(instances) for name, instances in keep.items()}
        for name, instances in subs.items():
            for dataset, g in instances.items():
                became = rule(had.get(name, {}).get(dataset), g)
                if became is None:
                    out.get(name, {}).pop(dataset, None)
                else:
                    out.setdefault(name, {})[dataset] = became
        return {name: instances for name, instances in out.items() if instances}

    def replace(self, was, g):
        return None if g.null else self.renew(was, g)

    def merge(self, was, g):
        return self.replace(was, g) if was is None or g.null else self.over(was, g, True)

    def update(self, was, g):
        return None if g.null else self.over(was, g, False)

    def over(self, was, g, merging):
        out = copy.deepcopy(was)
        kind = was["type"]
        if g.kind and g.kind != kind and not g.guess:
            if not merging or not g.has_value:
                raise Refused("bad_data")
            del out[VALUE[kind]]
            kind = out["type"] = g.kind
            out[VALUE[kind]] = merge_patch(None, g.value)
            for member in MEMBERS:
                if not takes(kind, member):
                    out.pop(member, None)
        elif g.has_value:
            value = g.value if g.kind == kind else adopt(kind, g)
            merges = merging and isinstance(value, dict) and kind != "GeoProperty"
            out[VALUE[kind]] = merge_patch(out[VALUE[kind]], value) if merges else value
        for member, value in g.set.items():
            if not takes(kind, member):
                raise Refused("bad_data")
            out[member] = value
        if g.common is not None and "observedAt" in was:
            out["observedAt"] = g.common
        for member in g.nulls:
            out.pop(member, None)
        out["modifiedAt"], out["@seq"] = self.at, 0
        out["subs"] = self.lists(was["subs"], was["subs"], g.subs, self.merge if merging else self.replace)
        return out

    def attributes(self, keep, had, attrs, rule, overwrite=True):
        """The same at the entity, taking notes."""
        out = {name: dict(instances) for name, instances in keep.items()}
        for name, instances in attrs.items():
            for dataset, g in sorted(instances.items()):
                was = had.get(name, {}).get(dataset)
                if was is not None and not overwrite:
                    self.notes.append([name, dataset, 0])
                    continue
                became = rule(was, g)
                if became is None and was is None:
                    self.notes.append([name, dataset, 0])
                    continue
                self.notes.append([name, dataset, 1])
                self.applied = True
                if became is None:
                    out[name].pop(dataset)
                else:
                    out.setdefault(name, {})[dataset] = became
        return {name: instances for name, instances in out.items() if instances}


# ---- entities ----


def listed(value):
    return [] if value in (None, NULL) else value if isinstance(value, list) else [value]


class Model:
    def __init__(self):
        self.entity, self.seq = None, 0

    def run(self, c):
        """What edit_driver should answer."""
        answer = {"status": "ok", "expired": 0, "created": 0, "deleted": 0, "changed": 0, "notes": []}
        old = self.entity
        at = max(c["now"], old["modifiedAt"]) if old else c["now"]
        if old and c["kind"] != "expire":
            old = self.left(c["now"], at)
            answer["expired"] = int(old is None)
            at = at if old else c["now"]
        change = Change(at, c["kind"] == "merge")
        try:
            new = getattr(self, c["kind"])(c, copy.deepcopy(old), change)
        except Refused as refused:
            answer["status"] = refused.args[0]
            new, change.applied, change.notes = None, False, []
        if change.applied:
            self.seq += 1
            answer.update(changed=1, created=int(old is None), deleted=int(new is None))
            if new:
                new["modifiedAt"], new["@seq"] = at, 0
                self.number(new)
            self.entity = new
        answer["notes"] = sorted(change.notes)
        answer["entity"] = self.written()
        return answer

    def number(self, node):
        """The sequence, wherever this change set something."""
        for key in ("@seq", "@createdSeq"):
            if node.get(key) == 0:
                node[key] = self.seq
        for name in ("attrs", "subs"):
            for instances in node.get(name, {}).values():
                for instance in instances.values():
                    self.number(instance)

    def written(self):
        if self.entity is None:
            return None
        return {**{k: v for k, v in self.entity.items() if k != "attrs"}, **spread(self.entity["attrs"])}

    # whole entities

    def create(self, c, old, change):
        if old:
            raise Refused("exists")
        return self.upsertReplace(c, old, change)

    def replace(self, c, old, change):
        self.present(old)
        return self.upsertReplace(c, old, change)

    def upsertReplace(self, c, old, change):
        f = c["fragment"]
        new = {"type": listed(f.get("type"))}
        if listed(f.get("scope")):
            new["scope"] = listed(f["scope"])
        if "expiresAt" in f:
            new["expiresAt"] = f["expiresAt"]
        new["createdAt"] = old["createdAt"] if old else change.at
        new["@createdSeq"] = old["@createdSeq"] if old else 0
        new["attrs"] = change.lists({}, old["attrs"] if old else {}, given(f), change.replace)
        change.applied = True
        return new

    def upsertUpdate(self, c, old, change):
        return self.update(c, old, change) if old else self.upsertReplace(c, old, change)

    def update(self, c, old, change):
        return self.lay(c, old, change, change.replace, False)

    def append(self, c, old, change):
        return self.lay(c, old, change, change.replace, True)

    def merge(self, c, old, change):
        return self.lay(c, old, change, change.merge, True)

    def lay(self, c, old, change, rule, adds_scope):
        self.present(old)
        f, overwrite = c["fragment"], not c["flags"] & NO_OVERWRITE
        old["attrs"] = change.attributes(old["attrs"], old["attrs"], given(f), rule, overwrite)
        for kind in listed(f.get("type")):
            if kind not in old["type"]:
                old["type"].append(kind)
                change.applied = True
        if f.get("scope"):
            self.scope(f["scope"], old, change, adds_scope, overwrite)
        expiry = f.get("expiresAt")
        if expiry is not None and (overwrite or "expiresAt" not in old):
            if expiry != NULL:
                old["expiresAt"] = expiry
                change.applied = True
            elif "expiresAt" in old:
                del old["expiresAt"]
                change.applied = True
        return old

    @staticmethod
    def scope(scope, old, change, adds, overwrite):
        if "scope" not in old and (scope == NULL or not adds):
            change.notes.append(["", "", 0])
            return
        change.notes.append(["", "", 1])
        if scope == NULL:
            del old["scope"]
        elif overwrite:
            old["scope"] = listed(scope)
        else:
            fresh = [s for s in listed(scope) if s not in old.get("scope", [])]
            if not fresh:
                return
            old["scope"] = old.get("scope", []) + fresh
        change.applied = True

    def delete(self, c, old, change):
        self.present(old)
        change.applied = True

    # attributes

    def attrUpdate(self, c, old, change):
        self.present(old)
        attrs = given({c["attr"]: c["fragment"]})

        def rule(was, g):
            if was is None:
                raise Refused("not_found")
            return change.update(was, g)

        old["attrs"] = change.attributes(old["attrs"], old["attrs"], attrs, rule)
        return old

    def attrReplace(self, c, old, change):
        self.present(old)
        attrs = given({c["attr"]: c["fragment"]})
        old["attrs"] = change.attributes(
            old["attrs"], old["attrs"], attrs, lambda was, g: change.replace(was, g) if was else None
        )
        if not change.applied:
            raise Refused("not_found")
        return old

    def attrDelete(self, c, old, change):
        self.present(old)
        if c["flags"] & SCOPE:
            if not old.pop("scope", None):
                raise Refused("not_found")
        elif c["flags"] & ALL_INSTANCES:
            if not old["attrs"].pop(c["attr"], None):
                raise Refused("not_found")
        else:
            instances = old["attrs"].get(c["attr"], {})
            if not instances.pop(c["dataset"], None):
                raise Refused("not_found")
            if not instances:
                del old["attrs"][c["attr"]]
        change.applied = True
        return old

    def prune(self, c, old, change):
        self.present(old)
        keeps = bool(c["flags"] & KEEP)
        for name in list(old["attrs"]):
            if (name in c["terms"]) != keeps:
                del old["attrs"][name]
                change.applied = True
        if c["flags"] & SCOPE and not keeps and old.pop("scope", None):
            change.applied = True
        return old

    def left(self, now, at):
        """What edits see of the entity: it without what is over; None when it is over itself."""
        if self.entity.get("expiresAt", now + 1) <= now:
            return None
        old = copy.deepcopy(self.entity)
        self.expired(old, "attrs", now, at)
        return old

    def expire(self, c, old, change):
        if old is None:
            return None
        if old.get("expiresAt", c["now"] + 1) <= c["now"]:
            change.applied = True
            return None
        change.applied = self.expired(old, "attrs", c["now"], change.at)
        return old

    def expired(self, node, key, now, at):
        lost = False
        for name, instances in list(node[key].items()):
            for dataset, i in list(instances.items()):
                if i.get("expiresAt", now + 1) <= now:
                    del instances[dataset]
                    lost = True
                elif self.expired(i, "subs", now, at):
                    i["modifiedAt"] = at
                    lost = True
            if not instances:
                del node[key][name]
        return lost

    @staticmethod
    def present(old):
        if old is None:
            raise Refused("not_found")


def spread(attrs):
    """{name: [instance …]} in the notation of the driver."""
    out = {}
    for name, instances in attrs.items():
        out[name] = []
        for dataset, i in sorted(instances.items()):
            flat = {k: v for k, v in i.items() if k != "subs"}
            if dataset:
                flat["datasetId"] = dataset
            out[name].append({**flat, **spread(i["subs"])})
    return out


# ---- random commands ----


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.now = 1000

    def some(self, p):
        return self.r.random() < p

    def json(self, depth, nulls):
        if nulls and self.some(0.15):
            return NULL
        pick = self.r.randrange(8 if depth else 5)
        if pick < 5:
            return [self.r.randrange(9), self.r.randrange(99) / 4, "s" + str(self.r.randrange(9)), True, None][pick]
        if pick == 5:
            return [self.json(depth - 1, False) for _ in range(self.r.randrange(4))]
        return {
            "k" + str(self.r.randrange(5)): self.json(depth - 1, nulls)
            for _ in range(self.r.randrange(5))
        }

    def uri(self):
        return "urn:x:" + str(self.r.randrange(9))

    def value(self, kind, nulls):
        if kind == "Property":
            value = self.json(3, nulls)
            return 0 if is_null(value) else value
        if kind == "JsonProperty":
            return {"j": self.json(2, nulls), "k1": self.json(2, nulls)}
        if kind == "Relationship":
            return self.uri() if self.some(0.7) else [self.uri(), self.uri()]
        if kind == "GeoProperty":
            return {"type": "Point", "coordinates": [self.r.randrange(90), 1.5]}
        if kind == "LanguageProperty":
            tags = ["en", "zh", "fr", "@none"]
            return {"de": "x", **{self.r.choice(tags): self.text(nulls) for _ in range(2)}}
        if kind == "VocabProperty":
            return self.uri()
        if kind == "ListProperty":
            return [self.json(1, False) for _ in range(self.r.randrange(1, 4))]
        return [self.uri() for _ in range(self.r.randrange(1, 4))]

    def text(self, nulls):
        if nulls and self.some(0.3):
            return NULL
        return "t" + str(self.r.randrange(9)) if self.some(0.7) else ["t1", "t2"]

    def members(self, kind, nulls, out):
        texts = {"unitCode": "CEL", "valueType": "urn:t", "objectType": '"urn:o"'}
        for member in MEMBERS:
            fits = takes(kind, member) if kind else member != "valueType"
            if self.some(0.25) and (fits or (nulls and self.some(0.1))):
                when = self.now + self.r.randrange(-50, 400)
                out[member] = texts.get(member, when)
                if nulls and self.some(0.3):
                    out[member] = NULL

    def instance(self, mode, depth):
        """mode: whole; update: whole or null; partial, merge: anything a fragment may be."""
        kind = self.r.choice(list(VALUE))
        if self.some(0.5):
            kind = "Property"
        nulls = mode == "merge"
        partial = mode in ("merge", "partial")
        if mode != "whole" and self.some(0.12):
            return self.r.choice([NULL, {"value": NULL}, {"type": kind, VALUE[kind]: NULL}])
        if partial and self.some(0.15):
            return self.guessed()
        out = {}
        typed = not partial or self.some(0.7)
        if typed:
            out["type"] = kind
        if not partial or self.some(0.75):
            if typed or kind != "GeoProperty":
                out[VALUE[kind]] = self.value(kind, nulls)
        self.members(kind if typed or VALUE[kind] in out else None, partial, out)
        if nulls and self.some(0.2):
            out["@lang"] = "fr"
        if nulls and self.some(0.2):
            out["@observedAt"] = self.now
        if depth and self.some(0.4):
            out.update(self.attrs("update" if mode == "partial" else mode, depth - 1, "pqr"))
        return out

    def guessed(self):
        value = self.r.choice(["text", 7, self.uri(), [self.uri()], [1, 2], ["a", "b"], {"k1": 5}])
        if isinstance(value, dict) or self.some(0.6):
            value = {"value": value}
            if self.some(0.5):
                value["@lang"] = self.r.choice(["en", "it"])
        return value

    def instances(self, mode, depth):
        out = []
        for dataset in self.r.sample(["", "urn:d:1", "urn:d:2"], self.r.choice([1, 1, 1, 2, 3])):
            instance = self.instance(mode, depth)
            if dataset and isinstance(instance, dict):
                instance["datasetId"] = dataset
            elif dataset:
                instance = {"value": instance, "datasetId": dataset}
            out.append(instance)
        return out

    def attrs(self, mode, depth, names="abcde"):
        count = self.r.randrange(4)
        return {name: self.fixed(self.instances(mode, depth)) for name in self.r.sample(names, min(count, len(names)))}

    @staticmethod
    def fixed(instances):
        """Arrays hold objects only: a bare value stands for {"value": …}."""
        return [i if isinstance(i, dict) else {"value": i} for i in instances]

    def entity(self, mode):
        out = self.attrs(mode, 2)
        if mode == "whole" or self.some(0.2):
            out["type"] = self.r.sample(["T", "U", "V"], self.r.randrange(1, 3))
        if self.some(0.3):
            out["scope"] = self.r.sample(["/a", "/b", "/c"], self.r.randrange(1, 3))
        if self.some(0.15):
            out["expiresAt"] = self.now + self.r.randrange(-20, 300)
        if mode in ("update", "merge"):
            for member in ("scope", "expiresAt"):
                if self.some(0.08):
                    out[member] = NULL
        return out

    def command(self):
        kinds = {
            "create": 3, "replace": 2, "upsertReplace": 1, "upsertUpdate": 4, "append": 6, "update": 10,
            "merge": 25, "delete": 1, "attrUpdate": 12, "attrReplace": 5, "attrDelete": 3, "prune": 1, "expire": 3,
        }  # fmt: skip
        kind = self.r.choices(list(kinds), kinds.values())[0]
        self.now += self.r.choice([-5, 0, 1, 7, 30])
        c = {"kind": kind, "now": self.now, "flags": 0, "dataset": self.r.choice(["", "urn:d:1"])}
        if kind in ("append", "merge") and self.some(0.3):
            c["flags"] = NO_OVERWRITE
        if kind in ("create", "replace", "upsertReplace", "upsertUpdate", "append"):
            c["fragment"] = self.entity("whole")
        elif kind in ("update", "merge"):
            c["fragment"] = self.entity(kind)
        elif kind.startswith("attr"):
            c["attr"] = self.r.choice("abcde")
            mode = {"attrUpdate": "partial", "attrReplace": "whole"}.get(kind)
            if mode:
                c["fragment"] = self.fixed(self.instances(mode, 2))
            else:
                c["flags"] = self.r.choice([0, 0, ALL_INSTANCES, SCOPE])
        elif kind == "prune":
            c["terms"] = self.r.sample("abcde", 2)
            c["flags"] = self.r.choice([0, KEEP, SCOPE])
        return c


def main():
    driver, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 20000
    maker, model, statuses, changed = Maker(seed), Model(), {}, 0
    with subprocess.Popen([driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for step in range(steps):
            before, command = model.written(), maker.command()
            process.stdin.write(json.dumps(command) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            want = model.run(command)
            got = json.loads(line) if line else None
            if got:
                got["notes"].sort()
            if got != want:
                print(f"seed {seed}, step {step}\nold  {json.dumps(before)}\nedit {json.dumps(command)}")
                print(f"got  {json.dumps(got, sort_keys=True)}\nwant {json.dumps(want, sort_keys=True)}")
                return 1
            status = f"{command['kind']} {got['status']}"
            statuses[status] = statuses.get(status, 0) + 1
            changed += got["changed"]
        process.stdin.close()
    print(f"{steps} edits agree, {changed} of them changed the entity:", statuses)
    if changed < steps / 4:
        print("too few of them for a test")
        return 1
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
