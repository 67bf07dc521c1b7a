#!/usr/bin/env python3
"""What pictures cost on the wire, and what viuer and ratatui-image write for the same ones, as Markdown.

    python3 scripts/wire.py [--no-peers]

The numbers for convscope are those of `cargo bench --bench wire`. The other libraries are in a small program of its own,
benches/peers; where that can't be built, for want of a network for instance, their columns are missing.
"""

import fcntl
import glob
import json
import os
import re
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = ["viuer", "ratatui-image"]
TARGET = os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"), "peers")

# viuer draws sixels only when it is built so, and then at a size of its own.
MISSING = {("viuer", "sixel")}

# What viuer asks, and what is no part of the picture: for kitty's pictures, for them from a file (which only a terminal
# on the same machine could take), and for the kind of terminal.
QUERIES = [
    (re.compile(rb"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"), b"\x1b_Gi=31;OK\x1b\\"),
    (re.compile(rb"\x1b_Gi=31,s=1,v=1,a=q,t=t;[^\x1b]*\x1b\\"), b"\x1b_Gi=31;ENOTSUPPORTED:\x1b\\"),
    (re.compile(rb"\x1b\[c"), b"\x1b[?62;c"),
]


def convscope(folder):
    """Measures, and leaves the pictures in a folder."""
    command = ["cargo", "--locked", "bench", "--bench", "wire", "--", "--out", folder]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(folder, "wire.json"), encoding="utf-8") as file:
        return json.load(file)


def build_peers():
    """The program that writes as the others do, or nothing."""
    manifest = os.path.join(ROOT, "benches", "peers", "Cargo.toml")
    command = ["cargo", "--locked", "build", "--release", "--manifest-path", manifest, "--target-dir", TARGET]
    if subprocess.run(command, check=False).returncode != 0:
        print("benches/peers can't be built: the other libraries are left out", file=sys.stderr)
        return None
    return os.path.join(TARGET, "release", "peers")


def environment(protocol):
    """A terminal of its own, whatever this runs in."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    program = {"iterm2": "iTerm.app"}.get(protocol, "")
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TERM_PROGRAM": program}


def written(command, protocol):
    """How many bytes a command writes to its terminal, without its questions."""
    ours, theirs = os.openpty()
    modes = termios.tcgetattr(theirs)
    modes[1] &= ~termios.OPOST
    modes[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(theirs, termios.TCSANOW, modes)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 200, 1600, 960))
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
        env=environment(protocol), start_new_session=True)
    os.close(theirs)
    text, answered = b"", 0
    while True:
        select.select([ours], [], [])
        try:
            piece = os.read(ours, 1 << 16)
        except OSError:  # As Linux has it when the program is gone.
            piece = b""
        if not piece:
            break
        text += piece
        questions = [
            (match.start(), answer)
            for query, answer in QUERIES
            for match in query.finditer(text[:4096])
        ]
        for _, answer in sorted(questions)[answered:]:
            os.write(ours, answer)
        answered = len(questions)
    os.close(ours)
    _, complaint = process.communicate()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: {complaint.decode().strip()}")
    for query, _ in QUERIES:
        text = query.sub(b"", text, count=1)
    return len(text)


def measure_peer(program, library, row, folder):
    """The median over a row's pictures; nothing where the library can't."""
    protocol = row["protocol"]
    if program is None or (library, protocol) in MISSING:
        return None
    files = glob.glob(os.path.join(folder, row["case"] + "-[0-9]*.png"))
    geometry = [str(number) for number in row["cells"]] + ["--cell"] + [str(number) for number in row["cell"]]
    return statistics.median(
        written([program, library, protocol, file] + geometry, protocol) for file in files)


def kib(size):
    return "-" if size is None else f"{size / 1024:.1f}"


def table(lines):
    """Markdown whose columns line up; the first two are text."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = [not re.fullmatch(r"[-./\d ]+", lines[1][column]) for column in range(len(widths))]
    lines = [lines[0], ["-" * (width - 1) + ("-" if left else ":") for width, left in zip(widths, text)]] + lines[1:]
    for line in lines:
        cells = [cell.ljust(width) if left else cell.rjust(width) for cell, width, left in zip(line, widths, text)]
        print("| " + " | ".join(cells) + " |")


def main():
    with tempfile.TemporaryDirectory() as folder:
        numbers = convscope(folder)
        program = None if "--no-peers" in sys.argv[1:] else build_peers()
        peers = PEERS if program else []
        lines = [["picture", "protocol", "KiB", "most", "ms"] + [f"{peer}, KiB" for peer in peers]]
        for row in numbers["pictures"]:
            others = [kib(measure_peer(program, peer, row, folder)) for peer in peers]
            median, most = row["bytes"]
            lines.append([row["what"], row["protocol"], kib(median), kib(most), f"{row['ms'][0]:.1f}"] + others)
    print("Each picture on a blank screen: bytes on the wire, median and most, and the median time to paint and encode")
    print("it on one thread.")
    if peers:
        print("The others are given the same pixels. Where convscope lays a heatmap over the photo that the terminal holds,")
        print("they write both anew; ratatui-image's sixels are dithered to fewer colours, where convscope's maps are exact.")
    print()
    table(lines)
    print("\nWhat the explorer writes for a key, text and places included, in KiB: median / most.\n")
    steps = numbers["steps"]
    lines = [["step in a terminal of 120x40 cells, 1080x720 pixels"] + [each["protocol"] for each in steps[0]["bytes"]]]
    for step in steps:
        lines.append([step["what"]] + [" / ".join(map(kib, each["bytes"])) for each in step["bytes"]])
    table(lines)


if __name__ == "__main__":
    main()
