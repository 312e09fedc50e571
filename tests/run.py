"""Runs the stages of ./test and counts.

A stage builds what it needs and yields results. Unit programs are cmocka, read
through TAP; what is tested from outside is pytest, read through its junit file.
The last line is the sum: "N passed, N failed, N skipped".
"""
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = "/usr/bin/python3"
UNIT_TIMEOUT_S = 300
PYTEST_TIMEOUT_S = 1800

BUILDS = {
    "asan": ["-Dtests=true", "-Db_sanitize=address,undefined", "-Db_lundef=false"],
    "clang": ["-Dtests=true", "-Dfuzz=true"],
    "tsan": ["-Dtests=true", "-Db_sanitize=thread", "-Db_lundef=false"],
    "release": ["--buildtype=release"],
}
ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": f"exitcode=99:suppressions={ROOT}/tests/tsan.supp",
    "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp",
}


class Count:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.failures, self.skips = [], []

    def fail(self, name, text=""):
        self.failed += 1
        self.failures.append(name)
        print(f"FAILED {name}\n{text}", flush=True)

    def skip(self, name, reason):
        self.skipped += 1
        self.skips.append(f"{name}: {reason}")


def environment():
    return {**os.environ, **ENVIRONMENT}


def run(command, timeout=None, **kwargs):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=timeout, env={**environment(), **kwargs}, check=False)


def build(name, count, compiler=None):
    """True when build/NAME is up to date; a failed build is one failure."""
    folder = os.path.join("build", name)
    extra = {"CC": "clang-14", "CXX": "clang++-14"} if compiler == "clang" else {"CC": "gcc", "CXX": "g++"}
    if not os.path.exists(os.path.join(ROOT, folder, "build.ninja")):
        made = run(["meson", "setup", folder, *BUILDS[name]], **extra)
        if made.returncode:
            count.fail(f"build {name}", made.stdout)
            return False
    built = run(["ninja", "-C", folder])
    if built.returncode:
        count.fail(f"build {name}", built.stdout[-8000:])
        return False
    count.passed += 1
    return True


def tap(name, command, count, timeout=UNIT_TIMEOUT_S):
    """One cmocka program."""
    try:
        done = run(command, timeout, CMOCKA_MESSAGE_OUTPUT="TAP")
    except subprocess.TimeoutExpired:
        count.fail(name, f"no end after {timeout} s")
        return
    results = 0
    for line in done.stdout.splitlines():
        match = re.match(r"(not )?ok \d+ - (\S+)(.*)", line)
        if not match:
            continue
        results += 1
        if match.group(1):
            count.fail(f"{name} {match.group(2)}", done.stdout[-4000:])
        elif "skip" in match.group(3).lower():
            count.skip(f"{name} {match.group(2)}", match.group(3).strip(" #") or "skipped")
        else:
            count.passed += 1
    if done.returncode and "not ok" not in done.stdout:
        count.fail(name, f"exit code {done.returncode}\n{done.stdout[-8000:]}")
    elif not results:
        count.fail(name, "ran no test\n" + done.stdout[-4000:])


def programs(folder):
    top = os.path.join(ROOT, folder)
    found = []
    for path, _folders, files in os.walk(top):
        for file in files:
            full = os.path.join(path, file)
            if file.endswith("_test") and os.access(full, os.X_OK):
                found.append(full)
    return sorted(found)


def units(folder, count, only=None):
    for program in programs(folder):
        name = os.path.relpath(program, os.path.join(ROOT, folder))
        if only is None or any(part in name for part in only):
            tap(f"{folder.split('/')[1]} {name}", [program], count)


def pytest(folder, count, *arguments, **extra):
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        command = [PYTHON, "-m", "pytest", "-q", "-x" if "CI" not in os.environ else "-q", "-p", "no:cacheprovider",
                   "-rs", f"--junitxml={report.name}", folder, *arguments]
        try:
            done = run(command, PYTEST_TIMEOUT_S, **extra)
        except subprocess.TimeoutExpired:
            count.fail(folder, f"no end after {PYTEST_TIMEOUT_S} s")
            return
        try:
            cases = ElementTree.parse(report.name).getroot().iter("testcase")
        except ElementTree.ParseError:
            count.fail(folder, done.stdout[-8000:])
            return
        for case in cases:
            name = f"{case.get('classname')}.{case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                count.fail(name)
            elif case.find("skipped") is not None:
                count.skip(name, case.find("skipped").get("message", ""))
            else:
                count.passed += 1
        if done.returncode not in (0, 5):
            print(done.stdout[-12000:], flush=True)


# ---- stages ----

def stage_style(count):
    for tool in ("tools/check_includes", "tools/check_style"):
        if not os.path.exists(os.path.join(ROOT, tool)):
            continue
        done = run([PYTHON, tool])
        if done.returncode:
            count.fail(tool, done.stdout)
        else:
            count.passed += 1


def stage_unit(count):
    if build("asan", count):
        units("build/asan/tests", count)


def stage_clang(count):
    build("clang", count, compiler="clang")


def stage_threads(count):
    threaded = ("terms", "context", "loop", "http", "store", "contract", "embedded")
    if build("tsan", count):
        units("build/tsan/tests", count, only=threaded)


def stage_integration(count):
    if build("asan", count):
        pytest("tests/integration", count, WELLSPRING=os.path.join(ROOT, "build/asan/wellspring"))


def stage_conformance(count):
    if build("release", count):
        pytest("tests/conformance", count, WELLSPRING=os.path.join(ROOT, "build/release/wellspring"))


def stage_fault(count):
    if build("release", count):
        pytest("tests/fault", count, WELLSPRING=os.path.join(ROOT, "build/release/wellspring"))


STAGES = {
    "style": stage_style,
    "unit": stage_unit,
    "clang": stage_clang,
    "threads": stage_threads,
    "integration": stage_integration,
    "conformance": stage_conformance,
    "fault": stage_fault,
}


def main(arguments):
    if arguments == ["--list"]:
        print("\n".join(STAGES))
        return 0
    unknown = [a for a in arguments if a not in STAGES]
    if unknown:
        print(f"unknown stage {unknown[0]}; there are {', '.join(STAGES)}", file=sys.stderr)
        return 2
    count = Count()
    for name in arguments or STAGES:
        start = time.monotonic()
        before = (count.passed, count.failed, count.skipped)
        print(f"== {name}", flush=True)
        STAGES[name](count)
        passed, failed, skipped = (now - then for now, then in
                                   zip((count.passed, count.failed, count.skipped), before))
        print(f"   {passed} passed, {failed} failed, {skipped} skipped in {time.monotonic() - start:.0f} s", flush=True)
    for reason in count.skips:
        print(f"skipped {reason}")
    for name in count.failures:
        print(f"failed {name}")
    print(f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped")
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
