#!/usr/bin/env python3
"""Makes `.libtorch`, the libtorch that convscope is compiled and linked with.

    libtorch.py [--cuda auto|0|1] [--libtorch DIR] [--root DIR] [--dry-run]

In this order: DIR (the Makefile passes the environment's LIBTORCH); what `.libtorch` already is; the
torch of this Python; the official wheels. `.libtorch` is a symbolic link to whichever it was. Of the
wheels only the headers and the libraries that are needed are fetched, into `.libtorch.cpu` or
`.libtorch.cuda`, laid out as in the wheels because the libraries find each other by those paths.

Everything fetched is checked: `libtorch.sha256` holds the hash of each wheel's list of files (RECORD),
which holds the hash of each file. An interrupted run leaves its pieces in `.libtorch.*.part` and the
next run goes on from there.
"""

import argparse
import base64
import concurrent.futures
import csv
import fcntl
import fnmatch
import functools
import hashlib
import http.client
import importlib.util
import io
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import zipfile
import zlib
from pathlib import Path

VERSION = "2.9.0"
SERIES = "2.9."  # what tch 0.22 compiles against
PINS = Path(__file__).with_name("libtorch.sha256")

# By build: which files of the wheels are wanted.
WANTED = {
    "cpu-x86_64": ["torch/include/*", "torch/lib/libtorch_cpu.so", "torch/lib/libc10.so",
                   "torch/lib/libgomp.so*", "nvidia/*/lib/libcupti.so.*", "nvidia/*/lib/libcudart.so.*"],
    "cpu-aarch64": ["torch/include/*", "torch/lib/*.so*", "torch.libs/*"],
    "cuda-x86_64": ["torch/include/*", "torch/lib/*.so*", "nvidia/*/lib/*.so*"],
}
UNWANTED = ["torch/lib/libtorch_python.so", "torch/lib/libshm.so"]

MB = 1e6
GAP = 1 << 18  # two spans of a wheel closer than this are fetched as one
ATTEMPTS = 5
PAUSE = 1.0  # seconds before the second attempt, doubled for each further one


class Problem(Exception):
    """Something that the user has to know or do; the message is all there is to say."""


def say(text):
    print(text, file=sys.stderr, flush=True)


# ---- what a libtorch directory is -----------------------------------------------------------------


def version_of(torch):
    """The version of the libtorch in `torch`, or None where there is none."""
    if not (torch / "lib/libtorch_cpu.so").exists() or not (torch / "include/torch").is_dir():
        return None
    try:
        return (torch / "build-version").read_text().strip()
    except OSError:
        pass
    try:
        found = re.search(r"__version__\s*=\s*['\"]([^'\"]+)", (torch / "version.py").read_text())
    except OSError:
        return None
    return found and found[1]


def right_version(torch):
    """torch-sys insists on the exact version where there is a build-version (not in a Python torch)."""
    version = version_of(torch) or ""
    if (torch / "build-version").exists() and "LIBTORCH_BYPASS_VERSION_CHECK" not in os.environ:
        return version.split("+")[0] == VERSION
    return version.startswith(SERIES)


def has_cuda(torch):
    return (torch / "lib/libtorch_cuda.so").exists()


def python_torch():
    """The torch that this Python would import, without importing it (that takes seconds)."""
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        return None
    torch = Path(spec.submodule_search_locations[0]).resolve()
    # Not conda's, whose libraries lie elsewhere, and not ROCm's, which burn's bindings do not link with.
    own = (torch / "lib/libtorch_cpu.so").resolve().parent == torch / "lib"
    return torch if right_version(torch) and own and not (torch / "lib/libtorch_hip.so").exists() else None


def gpu_present():
    try:
        found = subprocess.run(["nvidia-smi", "-L"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0 and b"GPU " in found.stdout


# ---- choosing one ---------------------------------------------------------------------------------


def choose(root, cuda, given, dry_run=False):
    """Makes `root/.libtorch` a libtorch that serves; fetches one if there is none."""
    link = root / ".libtorch"
    if given:
        torch = Path(given).expanduser().resolve()
        if not right_version(torch):
            version = version_of(torch)
            raise Problem(f"LIBTORCH is {torch}, which holds {f'libtorch {version}' if version else 'no libtorch'};"
                          f" convscope needs {VERSION}.\nPoint LIBTORCH at one, or unset it and `make` will fetch one.")
        if cuda == "1" and not has_cuda(torch):
            raise Problem(f"CUDA=1, but LIBTORCH ({torch}) is a CPU build. Unset LIBTORCH and `make` will fetch one.")
        return point(link, torch)
    if right_version(link.resolve()):
        if cuda == "auto" and not has_cuda(link) and os.path.isdir("/proc/driver/nvidia/gpus"):
            say("convscope is built for the CPU, and this machine has a GPU: `make CUDA=1` changes that.")
        fetched_cuda = (root / ".libtorch.cuda/torch").resolve()
        if {"auto": True, "1": has_cuda(link), "0": link.resolve() != fetched_cuda}[cuda]:
            return note(link, changed=False)
    if link.is_dir() and not link.is_symlink():
        raise Problem(f"{link} is a directory, but not the libtorch {VERSION} that is asked for: move it away.")

    machine, torch = platform.machine(), python_torch()
    want_cuda = cuda == "1" or (cuda == "auto" and gpu_present())
    if cuda == "auto" and want_cuda and f"cuda-{machine}" not in WANTED and not (torch and has_cuda(torch)):
        say(f"There is a GPU, but no wheel of libtorch {VERSION} with CUDA for {machine}: this will be a CPU build.")
        want_cuda = False
    build = "cuda" if want_cuda else "cpu"
    fetched = root / f".libtorch.{build}"
    if not right_version(fetched / "torch"):
        if torch and (has_cuda(torch) or not want_cuda):
            return point(link, torch)
        if f"{build}-{machine}" not in WANTED or platform.system() != "Linux":
            raise Problem(f"there is no wheel of libtorch {VERSION} ({build.upper()}) for {platform.system()} on"
                          f" {machine}: install torch {VERSION} into this Python, or set LIBTORCH to a libtorch.")
        if not fetch(root, build, machine, dry_run):
            return None
    return point(link, Path(fetched.name) / "torch")


def point(link, torch):
    """Makes `link` a symbolic link to `torch`, at once."""
    if link.exists() and link.resolve() == (link.parent / torch).resolve():
        return note(link, changed=False)
    if link.is_dir() and not link.is_symlink():
        raise Problem(f"{link} is a directory and not a link to {torch}: move it away.")
    fresh = link.with_name(f".libtorch.{os.getpid()}.link")
    fresh.symlink_to(torch)
    os.replace(fresh, link)
    say(f"libtorch {version_of(link)} ({'CUDA' if has_cuda(link) else 'CPU'}): {link.resolve()}")
    return note(link, changed=True)


def note(link, changed):
    """Leaves `.libtorch.stale` where what was compiled against the former libtorch has to go: cargo looks
    at the path, which stays the same."""
    state = link.with_name(".libtorch.state")
    target = os.readlink(link) if link.is_symlink() else "."
    now = f"{target} {version_of(link)} {'cuda' if has_cuda(link) else 'cpu'}\n"
    before = state.read_text() if state.exists() else None
    if now != before:
        if changed or before is not None:
            link.with_name(".libtorch.stale").touch()
        state.write_text(now)


# ---- pip: the one who knows addresses -------------------------------------------------------------


def pip(*arguments, **options):
    if importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "pip"]
    else:
        command = [shutil.which("pip3") or shutil.which("pip")]
        if command == [None]:
            raise Problem("pip is needed to fetch libtorch: sudo apt-get install python3-pip")
    quiet = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return subprocess.run(command + list(arguments), env=dict(os.environ, **quiet, **options.pop("env", {})), **options)


def tags(wheel):
    """A wheel's name: the project, and the options that make pip choose this file on any Python."""
    name, _, _, abi, platforms = wheel[: -len(".whl")].split("-")
    return name.replace("_", "-"), ["--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp",
                                    "--abi", abi, "--platform", platforms.split(".")[0]]


def address(wheel):
    """Where pip would download `wheel` from; None where it does not say. (`pip install --dry-run --report`
    would say it too, but up to pip 23.2 downloads the wheel to do so.)"""
    name, options = tags(wheel)
    listing = pip("index", "versions", "-vvv", "--no-color", *options, name,
                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True).stdout
    found = re.search(r"Found link (\S+/%s)[#\s]" % re.escape(wheel), listing)
    return found and found[1]


ONE_AT_A_TIME = threading.Lock()


def pip_download(wheel, folder):
    name, options = tags(wheel)
    with ONE_AT_A_TIME:
        pip("download", "--no-cache-dir", "--no-deps", *options, "--dest", str(folder),
            f"{name}==={wheel.split('-')[1]}", stdout=sys.stderr, env={"TMPDIR": str(folder)})
    if not (folder / wheel).exists():
        raise Problem(f"pip could not download {wheel}; what it said is above. Run this again to go on.")


# ---- reading a wheel where it lies ----------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def certificates():
    return ssl.create_default_context(cafile=os.environ.get("PIP_CERT"))


def ask(url, start, end):
    """An open answer that holds the bytes `start..end` of `url`."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"})
    answer = urllib.request.urlopen(request, timeout=60, context=certificates())
    span = re.match(r"bytes (\d+)-\d+/(\d+)$", answer.headers.get("Content-Range", ""))
    if answer.status != 206 or not span or int(span[1]) != start:
        answer.close()
        raise OSError("the server does not send parts of files")
    answer.total = int(span[2])
    return answer


class Remote(io.RawIOBase):
    """A file behind a URL. What lies in `pieces` (start, end, path) is read from disk, the rest by requests."""

    def __init__(self, url):
        self.url, self.at, self.pieces = url, 0, []
        with ask(url, 0, 1) as answer:
            self.size = answer.total

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self.at

    def seek(self, offset, whence=io.SEEK_SET):
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def readinto(self, buffer):
        end = min(self.at + len(buffer), self.size)
        if end <= self.at:
            return 0
        for first, last, path in self.pieces:
            if first <= self.at < last:
                with open(path, "rb") as piece:
                    piece.seek(self.at - first)
                    data = piece.read(min(end, last) - self.at)
                break
        else:
            with ask(self.url, self.at, end) as answer:
                data = answer.read()
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)


class Wheel:
    """A wheel, local or remote, with its list of files checked against the pinned hash."""

    def __init__(self, name, pin, folder, build):
        self.name, self.folder, self.remote, self.zip = name, folder, None, None
        whole = folder / name
        url = None if whole.exists() else address(name)
        if url and url.startswith("file:"):
            whole = Path(urllib.request.url2pathname(urllib.parse.urlparse(url).path))
        if not whole.exists() and not self.open_remote(url):
            pip_download(name, folder)
        try:
            if self.remote is None:
                self.zip = zipfile.ZipFile(str(whole))
            record = self.read_record()
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise self.damaged("the wheel") from None
        if hashlib.sha256(record).hexdigest() != pin:
            raise self.damaged("its list of files")
        self.hashes = {row[0]: row[1] for row in csv.reader(io.StringIO(record.decode()))}
        self.members = [member for member in self.zip.infolist() if not member.filename.endswith("/")
                        and any(fnmatch.fnmatchcase(member.filename, pattern) for pattern in WANTED[build])
                        and member.filename not in UNWANTED]

    def open_remote(self, url):
        """False where the wheel has to be downloaded whole."""
        why = "pip does not say where it is; 21.2 and later can"
        try:
            if url:
                self.remote = Remote(url)
                self.zip = zipfile.ZipFile(io.BufferedReader(self.remote, GAP))
                return True
        except (OSError, ValueError, http.client.HTTPException, zipfile.BadZipFile) as error:
            self.remote, why = None, error
        say(f"{self.name} cannot be read in pieces ({why}): pip downloads all of it.")
        return False

    def read_record(self):
        for name in self.zip.namelist():
            if name.endswith(".dist-info/RECORD"):
                return self.zip.read(name)
        raise zipfile.BadZipFile

    def damaged(self, what):
        for path in self.folder.glob(self.name + "*"):
            path.unlink()
        return Problem(f"{self.name}: {what} is not what this project has pinned. It was damaged on the way, or the"
                       " index serves something else.\nIt is deleted; run this again to fetch it anew.")

    def spans(self):
        """The pieces to fetch: (start, end, path), neighbours joined."""
        if self.remote is None:
            return []
        starts = sorted(member.header_offset for member in self.zip.infolist()) + [self.zip.start_dir]
        ends = dict(zip(starts, starts[1:]))
        joined = []
        for start in sorted(member.header_offset for member in self.members):
            if joined and start - joined[-1][1] <= GAP:
                joined[-1][1] = ends[start]
            else:
                joined.append([start, ends[start]])
        return [(start, end, self.folder / f"{self.name}.{start}-{end}.part") for start, end in joined]

    def unpack(self, tree):
        for member in self.members:
            target = tree / member.filename
            digest = hashlib.sha256()
            try:
                expected = self.hashes[member.filename]
                target.parent.mkdir(parents=True, exist_ok=True)
                with self.zip.open(member) as source, open(target, "wb") as out:
                    for block in iter(lambda: source.read(1 << 20), b""):
                        digest.update(block)
                        out.write(block)
            except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError):
                raise self.damaged(member.filename) from None
            if expected != "sha256=" + base64.urlsafe_b64encode(digest.digest()).decode().rstrip("="):
                raise self.damaged(member.filename)


# ---- fetching -------------------------------------------------------------------------------------


class Progress:
    """One line: rewritten on a terminal, repeated every five seconds elsewhere."""

    def __init__(self, total, done):
        self.total, self.done, self.first = total, done, done
        self.began = self.shown = time.monotonic()

    def add(self, count):
        self.done += count
        now = time.monotonic()
        if now - self.shown >= (0.2 if sys.stderr.isatty() else 5) or self.done == self.total:
            self.shown = now
            speed = (self.done - self.first) / MB / max(now - self.began, 1e-3)
            line = (f"  {self.done / MB:.1f} of {self.total / MB:.1f} MB, {100 * self.done // self.total}%,"
                    f" {speed:.1f} MB/s")
            if sys.stderr.isatty():
                sys.stderr.write("\r" + line + "\x1b[K" + ("\n" if self.done == self.total else ""))
                sys.stderr.flush()
            else:
                say(line)


def download(url, start, end, path, progress):
    """Brings the bytes `start..end` of `url` into `path`, after those it already has."""
    failures = 0
    while held(path) < end - start:
        before = held(path)
        try:
            with ask(url, start + before, end) as answer, open(path, "ab") as piece:
                for block in iter(lambda: answer.read(1 << 18), b""):
                    piece.write(block)
                    progress.add(len(block))
            why = "it ended early"
        except (OSError, http.client.HTTPException) as error:
            why = error
        failures = 0 if held(path) > before else failures + 1
        if failures >= ATTEMPTS:
            raise Problem(f"the download keeps breaking off ({why}). Run this again to go on from here.")
        if failures:
            time.sleep(PAUSE * 2 ** (failures - 1))
    if held(path) > end - start:
        path.unlink()
        raise Problem(f"{path.name} was longer than it can be and is deleted. Run this again.")


def held(path):
    return path.stat().st_size if path.exists() else 0


def pinned(build):
    """The wheels of a build: {file name: SHA-256 of its RECORD}."""
    found, section = {}, None
    for line in PINS.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#") and section == build:
            digest, name = line.split()
            found[name] = digest
    return found


def fetch(root, build, machine, dry_run):
    """Makes `.libtorch.BUILD` whole; False if it was only said what would be done."""
    final, work = root / f".libtorch.{build}", root / f".libtorch.{build}.part"
    with open(root / ".libtorch.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("libtorch is being fetched by another process; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks
        if right_version(final / "torch"):
            return True
        work.mkdir(exist_ok=True)
        say(f"libtorch {VERSION} ({'CUDA' if build == 'cuda' else 'CPU'}) is missing: asking pip where it is.")
        pins = pinned(f"{build}-{machine}")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            wheels = list(pool.map(lambda pin: Wheel(*pin, work, f"{build}-{machine}"), pins.items()))

        pieces = [(wheel, span) for wheel in wheels for span in wheel.spans()]
        total = sum(end - start for _, (start, end, _) in pieces)
        done = sum(held(path) for _, (_, _, path) in pieces)
        unpacked = sum(member.file_size for wheel in wheels for member in wheel.members)
        say(f"{total / MB:.0f} MB to download{f', {done / MB:.0f} of them are here' if done else ''};"
            f" {unpacked / MB:.0f} MB unpacked, in {final.name}.")
        if dry_run:
            return False
        free = shutil.disk_usage(root).free
        if free < total - done + unpacked:
            raise Problem(f"{(total - done + unpacked) / MB:.0f} MB of disk are needed in {root}, and"
                          f" {free / MB:.0f} MB are free. Make room and run this again.")
        progress = Progress(total, done)
        for wheel, (start, end, path) in pieces:
            download(wheel.remote.url, start, end, path, progress)
            wheel.remote.pieces.append((start, end, path))

        say("  unpacking and checking")
        tree = work / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        for wheel in wheels:
            wheel.unpack(tree)
        if build == "cpu" and not (tree / "torch/lib/libtorch.so").exists():
            # The wheel's own libtorch.so asks for CUDA's libraries.
            (tree / "torch/lib/libtorch.so").write_text("INPUT ( libtorch_cpu.so )\n")
        (tree / "torch/build-version").write_text(VERSION + "\n")
        if final.exists():
            shutil.rmtree(final)
        tree.rename(final)
        shutil.rmtree(work)
        return True


def main():
    if sys.version_info < (3, 8):
        raise Problem("Python 3.8 or later is needed")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuda", choices=["auto", "0", "1"], default="auto")
    parser.add_argument("--libtorch", metavar="DIR", default="")
    parser.add_argument("--root", metavar="DIR", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--dry-run", action="store_true", help="say what would be fetched")
    arguments = parser.parse_args()
    choose(arguments.root.resolve(), arguments.cuda, arguments.libtorch, arguments.dry_run)


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        sys.exit(f"error: {problem}")
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"error: {error}. Run this again to go on.")
    except KeyboardInterrupt:
        say("\ninterrupted: the next run goes on from here.")
        sys.exit(130)
