#!/usr/bin/env python3
"""Kills the driver and looks at what it left.

usage: crash.py DRIVER kill [ROUNDS]    SIGKILL at random moments under load, round after round on one
                                        directory: nothing acknowledged or read is lost, nothing half done
       crash.py DRIVER power [POINTS]   the machine loses power at a sync (all of them: POINTS = 0, else so
                                        many, spread), keeping only what was synced: the same
       crash.py DRIVER history-kill [ROUNDS]
       crash.py DRIVER history-power [POINTS]   the same of history_driver.c, which does the comparing itself
       crash.py DRIVER sweep-kill [ROUNDS]
       crash.py DRIVER sweep-power [POINTS]     and of sweep_driver.c
       crash.py DRIVER bound-kill [ROUNDS]
       crash.py DRIVER bound-power [POINTS]     and of bound_driver.c

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


def drive_and_kill(work, number, pause, args):
    """What the driver said until it was killed, some time after it began to speak."""
    with open(os.path.join(work, "said"), "w+") as said:
        process = subprocess.Popen([DRIVER, "drive", *args, "--ops", "100000000", "--seed", str(number)],
                                   stdout=said, stderr=subprocess.PIPE, env=ENV, text=True)
        deadline = time.time() + 30
        while os.fstat(said.fileno()).st_size == 0 and process.poll() is None and time.time() < deadline:
            time.sleep(0.005)
        time.sleep(pause)
        process.kill()
        errors = process.communicate()[1]
        if process.returncode != -9:
            sys.exit(f"round {number}: the driver ended by itself, {process.returncode}\n{errors}")
        said.seek(0)
        return whole_lines(said.read())


def count_acknowledged(text):
    return text.count("\na ") + text.startswith("a ")


def kill_rounds(rounds, work):
    directory = os.path.join(work, "city")
    rng = random.Random(4)
    acknowledged = 0
    for number in range(rounds):
        city = City()
        text = drive_and_kill(work, number, rng.uniform(0, 0.25), [directory, "--wide", "64"])
        city.hear(text)
        acknowledged += count_acknowledged(text)
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


# ---- history: the driver keeps the model, in a file, and compares ----

# Two drivers sweep, so that each makes do with less.
TWINS = MODE.startswith(("sweep", "bound"))
# What it came by, without which nothing is proved.
MET = {"history": "sealed chunks", "sweep": "values in aggregates", "bound": "instances gone by force"}.get(MODE.split("-")[0])


def verify_history(directory, model, text, what, *options):
    """How much of that it came by."""
    result = run("verify", directory, model, *options, input=text, capture_output=True)
    if result.returncode:
        sys.exit(f"{what}: wrong after the restart\n{result.stderr}")
    return int(result.stdout.split()[1])


def history_kill_rounds(rounds, work, options=("--wide", "8", "--entities", "8", "--most", "100")):
    directory, model = os.path.join(work, "city"), os.path.join(work, "model")
    rng = random.Random(5)
    acknowledged = met = 0
    for number in range(rounds):
        text = drive_and_kill(work, number, rng.uniform(0, 0.6), [directory, model, *options])
        acknowledged += count_acknowledged(text)
        met += verify_history(directory, model, text, f"round {number}")
    if not acknowledged or not met:
        sys.exit(f"{acknowledged} changes acknowledged, {met} {MET}: this proves nothing")
    print(f"{rounds} kills, {acknowledged} acknowledged changes, {met} {MET}: no instance lost or doubled")


def history_power_cut(work, point, wide, interval):
    directory, shadow, left, model = (os.path.join(work, name) for name in ("city", "shadow", "left", "model"))
    for path in (directory, shadow, left):
        shutil.rmtree(path, ignore_errors=True)
    if os.path.exists(model):
        os.remove(model)
    os.mkdir(directory)
    options = ["--interval"] if interval else []
    ops = "300" if MODE.startswith("bound") else "500"
    result = run("drive", directory, model, "--shadow", shadow, "--crash-at", str(point), "--ops", ops,
                 "--entities", "3", "--most", "160", "--wide", str(wide), *options, capture_output=True)
    if result.returncode not in (0, 99):
        sys.exit(f"sync {point}: the driver ended with {result.returncode}\n{result.stderr}")
    if run("rebuild", shadow, left, capture_output=True).returncode:
        sys.exit(f"sync {point}: nothing could be rebuilt")
    return result, verify_history(left, model, whole_lines(result.stdout), f"sync {point}", *options)


def history_power_cuts(points, work):
    cuts = met = 0
    for wide, interval in ((1, False), (3, False), (3, True)):
        result, _ = history_power_cut(work, 0, wide, interval)
        syncs = int(result.stdout.rsplit("syncs ", 1)[1])
        step = max(1, syncs // points) if points else 1
        for point in range(1 + random.Random(wide).randrange(step), syncs + 1, step):
            met += history_power_cut(work, point, wide, interval)[1]
            cuts += 1
    if not cuts or not met:
        sys.exit(f"{cuts} cuts, {met} {MET}: this proves nothing")
    print(f"{cuts} power cuts, {met} {MET}: no instance lost or doubled")


def main():
    work = tempfile.mkdtemp(prefix="wellspring-fault-")
    try:
        if MODE.endswith("kill"):
            rounds = int(sys.argv[3] if len(sys.argv) > 3 else os.environ.get("WELLSPRING_FAULT_ROUNDS", "8" if TWINS else "10"))
            if MODE == "kill":
                kill_rounds(rounds, work)
            elif MODE == "history-kill":
                history_kill_rounds(rounds, work)
            else:
                history_kill_rounds(rounds, work, ("--wide", "6"))
        else:
            points = sys.argv[3] if len(sys.argv) > 3 else os.environ.get("WELLSPRING_FAULT_POINTS", "12" if MODE == "power" else "4" if TWINS else "6")
            (power_cuts if MODE == "power" else history_power_cuts)(int(points), work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
