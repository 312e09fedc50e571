#!/usr/bin/env python3
"""The checks of tools/ find each kind of fault, and nothing in a clean tree."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOLS = Path(sys.argv.pop(1)).resolve()

CLEAN = {
    "meson.build": "subdir('src')\n",
    "src/meson.build": "subdir('base')\nsubdir('net')\n",
    "src/base/meson.build": "foreach n : ['one']\n  x += files(n + '_part.c')\nendforeach\n",
    "src/net/meson.build": "files('loop.c')\n",
    "src/base/str.h": "/* Strings. */\n",
    "src/base/one_part.c": '/* One. */\n#include "base/str.h"\nint f(void)\n{\n    return 1;\n}\n',
    "src/net/loop.c": '/* Loop. rand() in a comment */\n#include "base/str.h"\n',
    "tools/style_exceptions.txt": "# none\n",
}


class Checks(unittest.TestCase):
    def run_tool(self, tool, changes):
        """(exit code, output) of a tool over the clean tree with changes; None removes."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**CLEAN, **changes}.items():
                if text is not None:
                    path = Path(folder) / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text, encoding="utf-8")
            done = subprocess.run([sys.executable, TOOLS / tool, folder],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.stderr, "")
            return done.returncode, done.stdout

    def finds(self, tool, expected, changes):
        code, out = self.run_tool(tool, changes)
        self.assertEqual((code, out), (1, expected + "\n"))

    def test_clean_tree_passes(self):
        for tool in ("check_style", "check_includes"):
            self.assertEqual(self.run_tool(tool, {}), (0, ""))

    def test_lengths(self):
        body = "/* F. */\nint f(int a,\n      int b)\n{\n" + "    a++;\n" * 69 + "}\n"
        fault = "src/net/loop.c:4: function-length: f has 71 lines, at most 70"
        self.finds("check_style", fault, {"src/net/loop.c": body})
        allowed = {"src/net/loop.c": body,
                   "tools/style_exceptions.txt": "function-length src/net/loop.c:f 71 # why\n"}
        self.assertEqual(self.run_tool("check_style", allowed)[0], 0)
        allowed["tools/style_exceptions.txt"] = "function-length src/net/loop.c:f 70\n"
        self.assertEqual(self.run_tool("check_style", allowed), (1, fault + "\n"))
        self.finds("check_style", "src/net/loop.c:1: file-length: 801 lines, at most 800",
                   {"src/net/loop.c": "/* L. */\n" + "\n" * 800})

    def test_unused_exception(self):
        self.finds("check_style", "tools/style_exceptions.txt: opening src/net/loop.c is not "
                   "needed any more: remove it",
                   {"tools/style_exceptions.txt": "opening src/net/loop.c\n"})

    def test_calls_and_comments(self):
        self.finds("check_style", "src/net/loop.c:2: banned-call: strcpy() is not used here",
                   {"src/net/loop.c": "/* L. */\nint x = strcpy (a, b);\n"})
        self.finds("check_style", "src/net/loop.c:1: open-end: do it, or open an issue; code says "
                   "what is", {"src/net/loop.c": "/* TO" + "DO */\n"})
        self.finds("check_style", "src/net/loop.c:1: opening: open with a comment that says why "
                   "the file exists", {"src/net/loop.c": "int x;\n"})

    def test_dead_files(self):
        self.finds("check_style", "src/net/dead.c:1: dead-file: no meson.build lists this file",
                   {"src/net/dead.c": "/* D. */\n"})
        self.finds("check_style", "src/net/dead.h:1: dead-file: nothing includes this header",
                   {"src/net/dead.h": "/* D. */\n"})
        self.finds("check_style", "src/care/meson.build:1: dead-file: no subdir() leads here",
                   {"src/care/meson.build": ""})

    def test_directions(self):
        header = {"src/broker/ports.h": "/* P. */\n", "src/store/embedded/log.h": "/* L. */\n",
                  "src/store/store.h": "/* S. */\n", "src/front/ngsild/ngsild.h": "/* N. */\n",
                  "src/net/meson.build": "custom_target('t', output: 'table.h')\n"}
        wrong = [
            ("src/base/one_part.c", "broker/ports.h", "base may not include broker"),
            ("src/net/loop.c", "store/store.h", "net may not include store"),
            ("src/broker/x.c", "store/embedded/log.h",
             "broker may not name the concrete part store/embedded; only main does"),
            ("src/store/store.c", "store/embedded/log.h",
             "store may not name the concrete part store/embedded; only main does"),
            ("src/front/console/x.c", "front/ngsild/ngsild.h",
             "front/console may not name the concrete part front/ngsild; only main does"),
            ("src/net/loop.c", "base/none.h", 'no file "base/none.h"'),
        ]
        for file, included, reason in wrong:
            self.finds("check_includes", f"{file}:2: {reason}",
                       {**header, file: f'/* X. */\n#include "{included}"\n'})
        right = [("src/broker/x.c", "store/store.h"), ("src/main/x.c", "store/embedded/log.h"),
                 ("src/store/embedded/x.c", "store/store.h"),
                 ("src/store/embedded/x.c", "log.h"), ("src/net/x.c", "table.h"),
                 ("src/front/front.c", "front/ngsild/ngsild.h")]
        for file, included in right:
            changes = {**header, file: f'/* X. */\n#include "{included}"\n'}
            self.assertEqual(self.run_tool("check_includes", changes), (0, ""))

    def test_libraries_and_applications(self):
        self.finds("check_includes", "src/net/loop.c:1: only base may know <simdjson.h>",
                   {"src/net/loop.c": "#include <simdjson.h>\n"})
        self.finds("check_includes", "apps/heat/h.c:1: may include wellspring/ headers only",
                   {"apps/heat/h.c": '#include "base/str.h"\n'})
        self.assertEqual(self.run_tool("check_includes", {
            "apps/heat/h.c": '#include "wellspring/city.h"\n'}), (0, ""))


if __name__ == "__main__":
    unittest.main()
