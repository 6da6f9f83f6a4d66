# SPDX-License-Identifier: MIT
"""The HTTP servers that are compared: how each is started, on one core, and what it costs."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from server import Server

NGINX = """daemon off;
{user}
worker_processes 1;
worker_rlimit_nofile 60000;
pid {home}/pid;
error_log stderr crit;
events {{ worker_connections 30000; multi_accept on; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=1000 inactive=300s;
    open_file_cache_valid 1s;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    default_type application/octet-stream;
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
    server {{ listen 127.0.0.1:{port} backlog=4096{tls}; root {site}; }}
}}
"""

H2O = """num-threads: 1
max-connections: 30000
{user}
pid-file: {home}/pid
error-log: /dev/null
http1-request-timeout: 300
listen:
  host: 127.0.0.1
  port: {port}
hosts:
  default:
    paths:
      /:
        file.dir: {site}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def find_nginx():
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class ConfiguredServer:
    """One that is told its port by a file and says nothing when it listens."""

    def __init__(self, program, template, user, site, core, certificate=None):
        """`certificate`: without its suffix, .pem; the key lies beside it."""
        self.home = tempfile.TemporaryDirectory(prefix="ringlet-bench-")
        self.port = free_port()
        home = pathlib.Path(self.home.name)
        config = home / "config"
        tls = f" ssl; ssl_certificate {certificate}.pem; ssl_certificate_key {certificate}.key" if certificate else ""
        config.write_text(template.format(home=home, port=self.port, site=site, tls=tls,
                                          user=user if os.geteuid() == 0 else ""))
        command = [program, "-c", str(config)] + (["-p", str(home)] if program.endswith("nginx") else [])
        pin = None if core is None else lambda: os.sched_setaffinity(0, {core})
        self.process = subprocess.Popen(command, preexec_fn=pin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.wait_until_it_listens()

    def wait_until_it_listens(self):
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"{self.process.args[0]} does not listen: {self.process.stderr.read()[-300:]}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.home.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.process.stderr.close()


class Contestants:
    """What can be compared here, by name; `missing` says why others cannot."""

    def __init__(self, options):
        self.options = options
        self.site = None
        core = options.server_core
        limit = options.build / "tests" / "bench" / "bench-limit-http"
        self.start = {
            "ours": lambda: Server([str(options.serve), str(self.site), "--quiet", "--port", "0",
                                    "--max-connections", "30000"], core=core, errors=subprocess.DEVNULL),
            "hand-written": lambda: Server([str(limit), "-p", "0", str(self.site)], core=core)}
        self.missing = {}
        nginx = find_nginx()
        h2o = shutil.which("h2o")
        if nginx:
            self.start["nginx"] = lambda: ConfiguredServer(nginx, NGINX, "user root;", self.site, core)
        if h2o:
            self.start["h2o"] = lambda: ConfiguredServer(h2o, H2O, "user: root", self.site, core)
        for name, program in [("nginx", nginx), ("h2o", h2o)]:
            if not program:
                self.missing[name] = f"{name} is not installed"


def processes_of(pid):
    """It and its children: nginx serves by a child."""
    found = [pid]
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    for child in children:
        found += processes_of(int(child))
    return found


def cpu_seconds(pid):
    """User and system time of all their threads, exact to the moment: the CPU-time clock of each process."""
    return sum(time.clock_gettime((~each << 3) | 2) for each in processes_of(pid))


def resident_bytes(pid):
    total = 0
    for each in processes_of(pid):
        for line in pathlib.Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total
