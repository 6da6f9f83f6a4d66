# SPDX-License-Identifier: MIT
"""Compiling from within a test: with the flags of the build, and not again while nothing that was read has changed."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
WITH_VALUE = {"-o", "-MQ", "-MF", "-MT"}
DROPPED = {"-c", "-MD", "-MMD"}


class Build:
    """A configured Meson build: its C++ compiler and the flags that it compiles the runtime with."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        commands = json.loads((self.folder / "compile_commands.json").read_text(encoding="utf-8"))
        runtime = [c for c in commands if "runtime/ringlet/" in c["file"] and c["file"].endswith(".cpp")]
        if not runtime:
            raise SystemExit(f"{self.folder} compiles no source of runtime/ringlet")
        words = shlex.split(runtime[0]["command"])
        while os.path.basename(words[0]) in ("ccache", "sccache"):
            words.pop(0)
        self.compiler = words[0]
        self.flags = self._flags(words[1:], runtime[0]["file"])

    @staticmethod
    def _flags(words, source):
        flags, skip = [], False
        for word in words:
            if skip or word in DROPPED or word == source:
                skip = False
            elif word in WITH_VALUE:
                skip = True
            else:
                flags.append(word)
        return flags

    def portable_flags(self):
        """Those that every compiler understands: language, include paths and definitions."""
        flags, take = [], False
        for word in self.flags:
            if take or word.startswith(("-I", "-isystem", "-D", "-std=", "-pthread")):
                flags.append(word)
            take = not take and word in ("-isystem", "-I", "-D")
        return flags

    def sanitizer_flags(self):
        return [word for word in self.flags if word.startswith(("-fsanitize", "-fno-sanitize", "-D_GLIBCXX"))]


class Cache:
    """What compilers said, kept in the build folder; an answer holds while compiler, command and every file read are the same."""

    def __init__(self, build, name):
        self.build = build
        self.path = build.folder / "tests" / f"compiled-{name}.json"
        try:
            self.known = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.known = {}
        self.used = {}

    @staticmethod
    def _stamp(path):
        try:
            status = os.stat(path)
        except OSError:
            return None
        return [status.st_mtime_ns, status.st_size]

    def _key(self, command, source):
        compiler = shutil.which(command[0]) or command[0]
        return hashlib.sha256(json.dumps([command, str(source), self._stamp(os.path.realpath(compiler))]).encode()).hexdigest()

    def _read_files(self, command, source):
        """All files that compiling the source reads, as the preprocessor tells."""
        listed = subprocess.run([*command, "-M", "-MT", "x", str(source)], cwd=self.build.folder, capture_output=True, text=True, check=False)
        if listed.returncode:
            return None
        words = shlex.split(listed.stdout.replace("\\\n", " "))[1:]
        return sorted({str((self.build.folder / word).resolve()) for word in words})

    def compile(self, command, source):
        """(status, output) of `command source`; the command's object file, if any, must not be needed."""
        key = self._key(command, source)
        entry = self.known.get(key)
        if not entry or any(self._stamp(path) != stamp for path, stamp in entry["files"].items()):
            done = subprocess.run([*command, str(source)], cwd=self.build.folder, capture_output=True, text=True, check=False)
            files = self._read_files(command, source)
            entry = {"status": done.returncode, "output": done.stdout + done.stderr,
                     "files": {path: self._stamp(path) for path in files or []}}
            if files is None:  # not even the preprocessor is content: ask again next time
                return entry["status"], entry["output"]
        self.used[key] = entry
        return entry["status"], entry["output"]

    def compile_all(self, jobs):
        """[(status, output)] for [(command, source)], on all processors."""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(lambda job: self.compile(*job), jobs))

    def save(self):
        temporary = self.path.with_suffix(".new")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(self.used), encoding="utf-8")
        temporary.replace(self.path)
