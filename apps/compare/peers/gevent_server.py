# SPDX-License-Identifier: MIT
"""The course's HTTP server on gevent: a greenlet for each connection, the request line by a regular expression. With
connections that are kept, so that it can be compared.

usage: gevent_server.py PORT FILE_OF_1K
"""
import re
import sys

from gevent import monkey

monkey.patch_all()

import socket  # noqa: E402
import time  # noqa: E402

import gevent  # noqa: E402

HANDLER_WAITS = 0.05
PAGE = open(sys.argv[2], "rb").read()


def answer(status, body, keeps):
    fields = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"] + ([] if keeps else ["Connection: close"])
    return "\r\n".join([*fields, "", ""]).encode() + body


def serve_client(client):
    unread = b""
    while True:
        while b"\r\n\r\n" not in unread:
            got = client.recv(4096)
            if not got:
                client.close()
                return
            unread += got
        head, _, unread = unread.partition(b"\r\n\r\n")
        keeps = b"connection: close" not in head.lower()
        found = re.match(r"[^/]+(/[^ ]*)", head.decode("latin-1"))
        path = found.group(1) if found else ""
        if path == "/slow":
            time.sleep(HANDLER_WAITS)
            client.sendall(answer("200 OK", b"This took a while.\n", keeps))
        elif path == "/1k":
            client.sendall(answer("200 OK", PAGE, keeps))
        else:
            client.sendall(answer("404 Not Found", b"404 Not Found\n", keeps))
        if not keeps:
            client.close()
            return


def main():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    listener.listen(4096)
    print("Serving at http://%s:%d/" % listener.getsockname(), flush=True)
    while True:
        client, _ = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        gevent.spawn(serve_client, client)


main()
