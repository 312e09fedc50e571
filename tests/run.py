"""Runs the stages of ./test and counts.

A stage builds what it needs and yields results. Which programs there are, with
their arguments and their patience, is what meson knows: those named _test are
cmocka and read through TAP, any other is one result by its exit code. What is
tested from outside is pytest, read through its junit file.
The last line is the sum: "N passed, N failed, N skipped".
"""
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = sys.executable
PYTEST_TIMEOUT_S = 1800
SLOWER = 4  # sanitizers, and other programs beside

# -O1 builds in a third of the time of -O2 and is fast enough.
QUICK = ["-Dtests=true", "-Doptimization=1"]
BUILDS = {
    "asan": [*QUICK, "-Db_sanitize=address,undefined", "-Db_lundef=false"],
    "clang": [*QUICK, "-Dfuzz=true"],
    "tsan": [*QUICK, "-Db_sanitize=thread", "-Db_lundef=false"],
    "release": ["--buildtype=release"],
}
ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": f"exitcode=99:suppressions={ROOT}/tests/tsan.supp",
    "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class Count:
    """Results so far; programs report from several threads."""

    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.failures, self.skips = [], []
        self.built = {}
        self.lock = threading.Lock()

    def done(self):
        with self.lock:
            self.passed += 1

    def fail(self, name, text=""):
        with self.lock:
            self.failed += 1
            self.failures.append(name)
            print(f"FAILED {name}\n{text}", flush=True)

    def skip(self, name, reason):
        with self.lock:
            self.skipped += 1
            self.skips.append(f"{name}: {reason}")


def run(command, timeout=None, folder=ROOT, **extra):
    """Output and exit code; the code is None when the time was over. Ends what the command left running."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", env={**os.environ, **ENVIRONMENT, **extra}, start_new_session=True) as p:
        try:
            output, _ = p.communicate(timeout=timeout)
            return output, p.returncode
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            output, _ = p.communicate()
            return output, None


def build(name, count, compiler=None):
    """True when build/NAME is up to date; a build that fails is one failure, however many stages want it."""
    if name not in count.built:
        count.built[name] = build_once(name, count, compiler)
    return count.built[name]


def build_once(name, count, compiler):
    folder = os.path.join("build", name)
    extra = {"CC": "clang-14", "CXX": "clang++-14"} if compiler == "clang" else {"CC": "gcc", "CXX": "g++"}
    if not os.path.exists(os.path.join(ROOT, folder, "build.ninja")):
        output, code = run(["meson", "setup", folder, *BUILDS[name]], **extra)
        if code:
            count.fail(f"build {name}", output)
            return False
    output, code = run(["ninja", "-C", folder])
    if code:
        count.fail(f"build {name}", output[-8000:])
    return code == 0


# ---- programs ----

RESULT = re.compile(r"(not )?ok \d+ (?:- (\S+)|# SKIP (\S+))")


def tap(name, output, code, count):
    """What a cmocka program said. A skip is preceded by a line that says why."""
    planned, seen, failed, said = None, 0, False, ""
    for line in output.splitlines():
        match = RESULT.match(line)
        if match is None:
            plan = re.match(r"1\.\.(\d+)$", line)
            planned = int(plan.group(1)) if plan else planned
            said = said if plan else line.strip(" #")
            continue
        seen += 1
        if match.group(3):
            count.skip(f"{name} {match.group(3)}", said or "no reason given")
        elif match.group(1):
            failed = True
            count.fail(f"{name} {match.group(2)}", output[-4000:])
        else:
            count.done()
        said = ""
    if seen != planned:
        count.fail(name, f"{seen} results of {planned or 'no'} tests, exit code {code}\n{output[-8000:]}")
    elif code and not failed:
        count.fail(name, f"exit code {code}\n{output[-8000:]}")


def program(test, build_name, count):
    name = f"{build_name} {test['name']}"
    patience = test["timeout"] * SLOWER
    folder = test["workdir"] or os.path.join(ROOT, "build", build_name)
    output, code = run(test["cmd"], patience, folder, CMOCKA_MESSAGE_OUTPUT="TAP", **test["env"])
    if code is None:
        count.fail(name, f"no end after {patience} s\n{output[-4000:]}")
    elif test["cmd"][0].endswith("_test"):
        tap(name, output, code, count)
    elif code:
        count.fail(name, f"exit code {code}\n{output[-8000:]}")
    else:
        count.done()


def units(build_name, count, only=None, but=()):
    listed, code = run(["meson", "introspect", "--tests", os.path.join("build", build_name)])
    tests = [t for t in json.loads(listed) if "wellspring:style" not in t["suite"]] if code == 0 else []
    chosen = [t for t in tests if (only is None or t["name"].startswith(only)) and not t["name"].startswith(but)]
    if not chosen:
        count.fail(f"{build_name} units", "meson knows of none\n" + listed[-4000:])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for ended in [pool.submit(program, t, build_name, count) for t in chosen]:
            ended.result()


# ---- from outside ----

def cases(path):
    """(name, "passed" | "failed" | "skipped", text) of a junit file; none when it is not complete."""
    try:
        found = ElementTree.parse(path).getroot().iter("testcase")
    except (ElementTree.ParseError, FileNotFoundError):
        return
    for case in found:
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            yield name, "failed", ""
        elif case.find("skipped") is not None:
            yield name, "skipped", case.find("skipped").get("message", "")
        else:
            yield name, "passed", ""


def outside(build_name, count, *paths):
    """Runs what is at paths against the program of build/BUILD_NAME."""
    label = f"{build_name} {paths[0]}"
    missing = [path for path in paths if not os.path.exists(os.path.join(ROOT, path))]
    if missing:
        count.skip(label, f"there is no {missing[0]}")
        return
    if not build(build_name, count):
        return
    before = count.failed
    with tempfile.TemporaryDirectory() as scratch:
        report = os.path.join(scratch, "report.xml")
        output, code = run([PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *paths],
                           PYTEST_TIMEOUT_S, WELLSPRING=os.path.join(ROOT, "build", build_name, "wellspring"))
        for name, result, text in cases(report):
            if result == "failed":
                count.fail(f"{build_name} {name}")
            elif result == "skipped":
                count.skip(f"{build_name} {name}", text)
            else:
                count.done()
    if code is None:
        count.fail(label, f"no end after {PYTEST_TIMEOUT_S} s\n{output[-8000:]}")
    elif code and count.failed == before:  # 5: nothing was found to run
        count.fail(label, f"pytest ended with {code}\n{output[-8000:]}")
    elif code:
        print(output[-12000:], flush=True)


# ---- stages ----

def stage_style(count):
    for tool in ("tools/check_includes", "tools/check_style"):
        output, code = run([PYTHON, tool])
        if code:
            count.fail(tool, output)
        else:
            count.done()


def stage_unit(count):
    if build("asan", count):
        units("asan", count, but=FAULT)


def stage_clang(count):
    """That clang has no warning either is the result."""
    if build("clang", count, compiler="clang"):
        count.done()


def stage_threads(count):
    threaded = ("base/log", "model/terms", "model/context", "net/", "store/", "broker/", "main/")
    if build("tsan", count):
        units("tsan", count, only=threaded)
        outside("tsan", count, *(f"tests/integration/test_{name}.py" for name in
                                 ("entities", "contexts", "together")))


def stage_integration(count):
    outside("asan", count, "tests/integration")


def stage_conformance(count):
    outside("asan", count, "tests/conformance")


def stage_fault(count):
    if build("asan", count):
        units("asan", count, only=FAULT)


def stage_release(count):
    """That it builds without a warning is a result, and what it costs."""
    if build("release", count):
        count.done()
        outside("release", count, "tests/integration/test_costs.py")


FAULT = ("fault/",)

STAGES = {
    "style": stage_style,
    "unit": stage_unit,
    "clang": stage_clang,
    "threads": stage_threads,
    "integration": stage_integration,
    "conformance": stage_conformance,
    "fault": stage_fault,
    "release": stage_release,
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
