"""Tests of libtorch.py: a small wheel, a server on this machine, and a pip that is played."""

import base64
import contextlib
import hashlib
import http.server
import io
import random
import re
import socketserver
import tempfile
import threading
import unittest
import zipfile
from pathlib import Path
from unittest import mock

import libtorch

NAME = "torch-2.9.0-cp311-cp311-manylinux_2_28_x86_64.whl"
FILES = {
    "torch/__init__.py": bytes(random.Random(1).choices(range(256), k=900_000)),
    "torch/include/torch/torch.h": b"#pragma once\n" * 100,
    "torch/lib/libc10.so": b"\x7fELF c10" * 50,
    "torch/lib/libtorch_cpu.so": bytes(random.Random(2).choices(range(256), k=1_500_000)),
    "torch/lib/libtorch_cuda.so": b"not for the CPU" * 50_000,
}
WANTED = [name for name in FILES if "cuda" not in name and "init" not in name]


def wheel(files):
    """The bytes of a wheel, and the hash of its RECORD."""
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}\n"
        for name, data in FILES.items())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("torch-2.9.0.dist-info/RECORD", record)
    return out.getvalue(), hashlib.sha256(record.encode()).hexdigest()


WHOLE = wheel(FILES)


class Server(socketserver.ThreadingTCPServer):
    """Serves `content`; sends no more than `cut` bytes of an answer; counts what it sent."""

    content, ranges, cut, sent, daemon_threads = b"", True, None, 0, True

    class RequestHandlerClass(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server, part = self.server, self.server.content
            if server.ranges:
                first, last = map(int, re.match(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
                part = part[first : last + 1]
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(server.content)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            part = part[: server.cut]
            with contextlib.suppress(OSError):
                self.wfile.write(part)
            server.sent += len(part)
            self.close_connection = True

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.RequestHandlerClass)
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()


class Case(unittest.TestCase):
    """A root of its own, on an x86-64 machine."""

    def setUp(self):
        self.root = Path(self.enter(tempfile.TemporaryDirectory())).resolve()
        self.enter(mock.patch.object(libtorch.platform, "machine", lambda: "x86_64"))

    def enter(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def play(self, **stand_ins):
        for name, stand_in in dict(stand_ins, say=lambda text: None).items():
            self.enter(mock.patch.object(libtorch, name, stand_in))


class Fetching(Case):
    def setUp(self):
        super().setUp()
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.server.content, self.pin = WHOLE
        self.downloads = []
        self.play(address=lambda name: f"http://127.0.0.1:{self.server.server_address[1]}/{name}",
                  pip_download=self.pip_download, pinned=lambda build: {NAME: self.pin},
                  python_torch=lambda: None, gpu_present=lambda: False, PAUSE=0)
        self.enter(mock.patch.dict(libtorch.os.environ, {"no_proxy": "127.0.0.1"}))

    def pip_download(self, name, folder):
        self.downloads.append(name)
        (folder / name).write_bytes(self.server.content)

    def choose(self, cuda="auto", given=""):
        libtorch.choose(self.root, cuda, given)

    def assert_whole(self):
        for name in WANTED:
            self.assertEqual((self.root / ".libtorch" / name[len("torch/"):]).read_bytes(), FILES[name])
        self.assertEqual((self.root / ".libtorch/build-version").read_text(), "2.9.0\n")
        self.assertFalse(libtorch.has_cuda(self.root / ".libtorch"))
        self.assertFalse((self.root / ".libtorch.cpu.part").exists())

    def part(self):
        (part,) = (self.root / ".libtorch.cpu.part").glob("*.part")
        return part

    def interrupt(self):
        """A run that ends with the connection gone and half of the library here."""
        self.server.cut = 1_000_000
        asked = []

        def lost(url, start, end, ask=libtorch.ask):
            if end - start > libtorch.GAP:  # a piece, not the list of files
                asked.append(start)
            if len(asked) > 1:
                raise OSError("no network")
            return ask(url, start, end)

        with mock.patch.object(libtorch, "ask", lost), self.assertRaisesRegex(libtorch.Problem, "Run this again"):
            self.choose()
        self.server.cut = None

    def test_only_what_is_wanted_is_fetched_and_only_once(self):
        self.choose()
        self.assert_whole()
        self.assertLess(self.server.sent, 2_200_000)
        self.assertLess(self.server.sent, len(self.server.content))
        self.assertEqual(self.downloads, [])
        sent = self.server.sent
        self.choose()
        self.assertEqual(self.server.sent, sent)

    def test_an_interrupted_run_is_gone_on_with(self):
        self.interrupt()
        self.assertFalse((self.root / ".libtorch").exists())
        have, sent = self.part().stat().st_size, self.server.sent
        self.assertGreater(have, 500_000)
        self.choose()
        self.assert_whole()
        self.assertLess(self.server.sent - sent, 1_700_000 - have + 2 * libtorch.GAP)

    def test_a_connection_that_breaks_is_taken_up(self):
        self.server.cut = 600_000
        self.choose()
        self.assert_whole()

    def test_a_damaged_piece_is_found_and_fetched_anew(self):
        self.interrupt()
        data = bytearray(self.part().read_bytes())
        data[len(data) // 2] ^= 1
        self.part().write_bytes(data)
        with self.assertRaisesRegex(libtorch.Problem, "libtorch_cpu.so is not what this project has pinned"):
            self.choose()
        self.assertFalse((self.root / ".libtorch").exists())
        self.choose()
        self.assert_whole()

    def test_a_wheel_with_another_file_is_refused(self):
        self.server.content, _ = wheel(dict(FILES, **{"torch/lib/libc10.so": b"something else"}))
        with self.assertRaisesRegex(libtorch.Problem, "libc10.so is not what"):
            self.choose()
        self.assertFalse((self.root / ".libtorch").exists())

    def test_a_wheel_with_another_list_of_files_is_refused(self):
        self.pin = "0" * 64
        with self.assertRaisesRegex(libtorch.Problem, "its list of files is not what"):
            self.choose()

    def test_a_server_without_ranges_leads_to_the_whole_wheel(self):
        self.server.ranges = False
        self.choose()
        self.assert_whole()
        self.assertEqual(self.downloads, [NAME])

    def test_a_pip_without_addresses_leads_to_the_whole_wheel(self):
        with mock.patch.object(libtorch, "address", lambda name: None):
            self.choose()
        self.assert_whole()
        self.assertEqual(self.downloads, [NAME])

    def test_a_full_disk_is_said_before_anything_is_fetched(self):
        usage = mock.Mock(free=1_000_000)
        with mock.patch.object(libtorch.shutil, "disk_usage", lambda _: usage):
            with self.assertRaisesRegex(libtorch.Problem, "Make room"):
                self.choose()


class Choosing(Case):
    def setUp(self):
        super().setUp()
        self.fetched, self.python, self.gpu = [], None, False
        self.play(fetch=self.fetch, python_torch=lambda: self.python, gpu_present=lambda: self.gpu)

    def torch(self, path, version="2.9.0", cuda=False):
        torch = self.root / path
        (torch / "lib").mkdir(parents=True)
        (torch / "include/torch").mkdir(parents=True)
        (torch / "lib/libtorch_cpu.so").touch()
        if cuda:
            (torch / "lib/libtorch_cuda.so").touch()
        (torch / "version.py").write_text(f"from typing import Optional\n__version__ = '{version}'\n")
        return torch

    def fetch(self, root, build, machine, dry_run):
        self.fetched.append(build)
        self.torch(f".libtorch.{build}/torch", cuda=build == "cuda")
        return True

    def choose(self, cuda="auto", given=""):
        """What `.libtorch` is afterwards, and whether the bindings have to be compiled anew."""
        stale = self.root / ".libtorch.stale"
        libtorch.choose(self.root, cuda, str(given))
        changed = stale.exists()
        if changed:
            stale.unlink()
        return (self.root / ".libtorch").resolve().relative_to(self.root).as_posix(), changed

    def test_a_gpu_decides_at_first_and_cuda_overrides(self):
        self.assertEqual(self.choose(), (".libtorch.cpu/torch", True))
        self.gpu = True
        self.assertEqual(self.choose(), (".libtorch.cpu/torch", False))
        self.assertEqual(self.choose("1"), (".libtorch.cuda/torch", True))
        self.gpu = False
        self.assertEqual(self.choose(), (".libtorch.cuda/torch", False))
        self.assertEqual(self.choose("0"), (".libtorch.cpu/torch", True))
        self.assertEqual(self.fetched, ["cpu", "cuda"])

    def test_a_python_torch_serves_when_it_can(self):
        self.python = self.torch("site/torch", "2.9.1+cpu")
        self.assertEqual(self.choose(), ("site/torch", True))
        self.assertEqual(self.choose("1"), (".libtorch.cuda/torch", True))

    def test_a_python_torch_with_cuda_serves_for_the_cpu(self):
        self.python = self.torch("site/torch", "2.9.0+cu128", cuda=True)
        self.assertEqual(self.choose("0"), ("site/torch", True))
        self.assertEqual(self.choose("1"), ("site/torch", False))
        self.assertEqual(self.fetched, [])

    def test_a_python_torch_that_was_upgraded_is_left(self):
        self.python = self.torch("site/torch")
        self.choose()
        (self.python / "version.py").write_text("__version__ = '2.13.0'\n")
        self.python = None
        self.assertEqual(self.choose(), (".libtorch.cpu/torch", True))

    def test_the_environment_comes_first(self):
        self.choose()
        mine = self.torch("mine")
        self.assertEqual(self.choose(given=mine), ("mine", True))
        self.assertEqual(self.choose(), ("mine", False))
        self.assertEqual(self.choose(given=self.root / ".libtorch"), ("mine", False))

    def test_the_environment_is_checked(self):
        for version, cuda, message in [("2.13.0", "auto", "holds libtorch 2.13.0.*needs 2.9.0"),
                                       ("2.9.0", "1", "a CPU build")]:
            with self.assertRaisesRegex(libtorch.Problem, message):
                self.choose(cuda, self.torch(f"mine-{version}", version))
        with self.assertRaisesRegex(libtorch.Problem, "holds no libtorch"):
            self.choose(given=self.root / "nowhere")

    def test_a_directory_of_the_user_is_used_and_never_replaced(self):
        self.torch(".libtorch")
        self.assertEqual(self.choose(), (".libtorch", False))
        with self.assertRaisesRegex(libtorch.Problem, "move it away"):
            self.choose("1")


if __name__ == "__main__":
    unittest.main()
