#!/usr/bin/env python3
"""Times whole commands and their peak memory, and prints a table: medians of several runs, one thread.

    python3 scripts/bench.py [RUNS]
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(ROOT, "target", "release", "convscope")
LITE = "weights/efficientnet_lite0.safetensors"
VGG = "weights/vgg16_cats_dogs.safetensors"
BOOK = "weights/cats_and_dogs_small_2.h5"
PHOTO = "demo/chelsea.png"

CASES = [
    ("--version", ["--version"]),
    ("summary, book's convnet", ["summary", BOOK]),
    ("predict, book's convnet", ["predict", BOOK, PHOTO]),
    ("predict, EfficientNet-Lite0", ["predict", LITE, PHOTO]),
    ("predict, VGG16", ["predict", VGG, PHOTO]),
    ("one channel of block1_conv1, VGG16",
     ["maps", VGG, PHOTO, "--layer", "block1_conv1", "--channel", "4", "-o", "OUT/c4.png", "-q"]),
    ("grids of 18 layers, VGG16", ["maps", VGG, PHOTO, "-o", "OUT", "-q"]),
    ("grids of 8 layers, book's convnet", ["maps", BOOK, PHOTO, "-o", "OUT", "-q"]),
    ("Grad-CAM to a PNG, EfficientNet-Lite0", ["cam", LITE, PHOTO, "-o", "OUT/cam.png", "-q"]),
    ("Grad-CAM to a PNG, VGG16, two classes", ["cam", VGG, PHOTO, "--score", "logit", "-o", "OUT/cam.png", "-q"]),
    ("patterns of 8 filters at 64x64, VGG16",
     ["filters", VGG, "--layer", "block3_conv1", "--size", "64", "--no-cache", "-o", "OUT/p.png", "-q"]
     + [word for channel in "01234567" for word in ("--channel", channel)]),
]


def measure(arguments):
    """Seconds and peak MB of one run."""
    folder = tempfile.mkdtemp()
    try:
        command = [PROGRAM] + [argument.replace("OUT", folder) for argument in arguments]
        if command[1] in ("cam", "filters", "maps", "predict"):
            command += ["--threads", "1"]
        start = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit status {process.returncode}")
        return seconds, usage.ru_maxrss / 1024
    finally:
        shutil.rmtree(folder)


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{'whole process, one thread':<40} {'seconds':>8} {'peak MB':>8}")
    for name, arguments in CASES:
        measured = [measure(arguments) for _ in range(runs)]
        seconds = statistics.median(each[0] for each in measured)
        peak = max(each[1] for each in measured)
        print(f"{name:<40} {seconds:>8.2f} {peak:>8.0f}")


if __name__ == "__main__":
    main()
