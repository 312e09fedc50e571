#!/usr/bin/env python3
"""Kills the driver and looks at what it left.

usage: crash.py DRIVER kill [ROUNDS]    SIGKILL at random moments under load, round after round on one
                                        directory: nothing acknowledged or read is lost, nothing half done
       crash.py DRIVER power [POINTS]   the machine loses power at a sync (all of them: POINTS = 0, else so
                                        many, spread), keeping only what was synced: the same

WELLSPRING_FAULT_ROUNDS and WELLSPRING_FAULT_POINTS set the numbers too."""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

DRIVER, MODE = os.path.abspath(sys.argv[1]), sys.argv[2]
ENV = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", TSAN_OPTIONS=os.environ.get("TSAN_OPTIONS", ""))


class City:
    """What is known: of each entity, the last version acknowledged or read, and the last asked for."""

    def __init__(self):
        self.low, self.high = {}, {}

    def hear(self, text):
        for line in text.splitlines():
            part = line.split()
            if len(part) != 3 or part[0] not in "sar":
                continue
            entity, version = int(part[1]), int(part[2])
            if part[0] == "s":
                self.high[entity] = max(self.high.get(entity, 0), version)
            else:
                self.low[entity] = max(self.low.get(entity, 0), version)

    def expected(self):
        lines = []
        for entity, high in sorted(self.high.items()):
            low = self.low.get(entity, 0)
            lines.append(f"{entity} {low} {max(low, high)}\n")
        return "".join(lines)


def run(*args, **kwargs):
    return subprocess.run([DRIVER, *args], env=ENV, text=True, **kwargs)


def verify(directory, city, what):
    result = run("verify", directory, input=city.expected(), capture_output=True)
    if result.returncode:
        sys.exit(f"{what}: wrong after the restart\n{result.stderr}")


def whole_lines(data):
    return data[: data.rfind("\n") + 1]


def kill_rounds(rounds, work):
    directory = os.path.join(work, "city")
    rng = random.Random(4)
    acknowledged = 0
    for number in range(rounds):
        city = City()
        with open(os.path.join(work, "said"), "w+") as said:
            process = subprocess.Popen([DRIVER, "drive", directory, "--ops", "100000000", "--wide", "64", "--seed", str(number)],
                                       stdout=said, stderr=subprocess.PIPE, env=ENV, text=True)
            deadline = time.time() + 30
            while os.fstat(said.fileno()).st_size == 0 and process.poll() is None and time.time() < deadline:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.25))
            process.kill()
            errors = process.communicate()[1]
            if process.returncode != -9:
                sys.exit(f"round {number}: the driver ended by itself, {process.returncode}\n{errors}")
            said.seek(0)
            text = whole_lines(said.read())
        city.hear(text)
        acknowledged += text.count("\na ") + text.startswith("a ")
        verify(directory, city, f"round {number}")
    if not acknowledged:
        sys.exit("nothing was ever acknowledged: this proves nothing")
    print(f"{rounds} kills, {acknowledged} acknowledged changes, none lost")


def power_cut(work, point, wide, interval):
    directory, shadow, left = (os.path.join(work, name) for name in ("city", "shadow", "left"))
    for path in (directory, shadow, left):
        shutil.rmtree(path, ignore_errors=True)
    os.mkdir(directory)
    args = ["drive", directory, "--shadow", shadow, "--crash-at", str(point), "--ops", "1200", "--wide", str(wide)]
    if interval:
        args.append("--interval")
    result = run(*args, capture_output=True)
    if result.returncode not in (0, 99):
        sys.exit(f"sync {point}: the driver ended with {result.returncode}\n{result.stderr}")
    city = City()
    city.hear(whole_lines(result.stdout))
    if interval:
        city.low = {}  # what was acknowledged since the last sync may be lost, but nothing be half done
    if run("rebuild", shadow, left, capture_output=True).returncode:
        sys.exit(f"sync {point}: nothing could be rebuilt")
    verify(left, city, f"sync {point}")
    return result


def power_cuts(points, work):
    total = None
    for wide, interval in ((1, False), (32, False), (32, True)):
        result = power_cut(work, 0, wide, interval)
        syncs = int(result.stdout.rsplit("syncs ", 1)[1])
        step = max(1, syncs // points) if points else 1
        first = 1 + random.Random(wide).randrange(step)
        count = 0
        for point in range(first, syncs + 1, step):
            power_cut(work, point, wide, interval)
            count += 1
        print(f"{count} power cuts among {syncs} syncs, {wide} changes under way, "
              f"durability {'interval' if interval else 'sync'}: nothing lost")
        total = (total or 0) + count
    if not total:
        sys.exit("no cut was made")


def main():
    work = tempfile.mkdtemp(prefix="wellspring-fault-")
    try:
        if MODE == "kill":
            rounds = sys.argv[3] if len(sys.argv) > 3 else os.environ.get("WELLSPRING_FAULT_ROUNDS", "10")
            kill_rounds(int(rounds), work)
        else:
            points = sys.argv[3] if len(sys.argv) > 3 else os.environ.get("WELLSPRING_FAULT_POINTS", "12")
            power_cuts(int(points), work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
