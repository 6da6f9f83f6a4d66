# SPDX-License-Identifier: MIT
"""The course's HTTP server on gevent, written anew: a greenlet for each connection, the request line by a regular expression, the
file opened and read for each request, head and body sent one after the other. Beyond the course it keeps connections.

usage: gevent_server.py PORT DIRECTORY
"""
import re
import sys

from gevent import monkey

monkey.patch_all()

import socket  # noqa: E402
import time  # noqa: E402

import gevent  # noqa: E402

HANDLER_WAITS = 0.05


def content_of(path):
    if path == "/slow":
        time.sleep(HANDLER_WAITS)
        return "HTTP/1.1 200 OK", b"This took a while.\n"
    try:
        if ".." in path:  # the course's takes any
            raise FileNotFoundError(path)
        with open(sys.argv[2] + path, "rb") as file:
            return "HTTP/1.1 200 OK", file.read()
    except OSError:
        return "HTTP/1.1 404 Not Found", b"404 Not Found\n"


def answer(client, request):
    """Result: whether the connection goes on."""
    lines = request.decode("utf-8").splitlines()
    found = re.match(r"[^/]+(/[^ ]*)", lines[0])
    status, body = content_of(found.group(1) if found else "/")
    keeps = "Connection: close" not in lines
    head = status + "\r\n"
    head += "Content-Length: %d\r\n" % len(body)
    head += "" if keeps else "Connection: close\r\n"
    head += "\r\n"
    client.send(head.encode("utf-8"))
    client.sendall(body)
    return keeps


def serve_client(client):
    with client:
        unread = b""
        while True:
            while b"\r\n\r\n" not in unread:
                got = client.recv(1024)
                if not got:
                    return
                unread += got
            request, _, unread = unread.partition(b"\r\n\r\n")
            if not answer(client, request):
                return


def main():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    listener.listen(4096)
    while True:
        client, _ = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        gevent.spawn(serve_client, client)


main()
