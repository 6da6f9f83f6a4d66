# SPDX-License-Identifier: MIT
"""An HTTP server that does what a test tells it to, byte by byte. It knows nothing of HTTP but where a request ends."""

import socket
import struct
import threading


class Client:
    """One connection, as a test's handler sees it."""

    def __init__(self, connection, number):
        self.connection = connection
        self.number = number  # of the connection: 0, 1, ...
        self.unread = b""
        self.head = b""

    def next_request(self):
        """The path of the next request, None when the client is gone."""
        while b"\r\n\r\n" not in self.unread:
            try:
                got = self.connection.recv(65536)
            except OSError:
                return None
            if not got:
                return None
            self.unread += got
        self.head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        return self.head.split(b" ")[1].decode()

    def send(self, data):
        try:
            self.connection.sendall(data)
        except OSError:
            pass  # the client may leave when it likes

    def send_pieces(self, data, size):
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for begin in range(0, len(data), size):
            self.send(data[begin : begin + size])

    def until_gone(self):
        """Says nothing until the client closes the connection."""
        try:
            while self.connection.recv(65536):
                pass
        except OSError:
            pass

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def response(body=b"", status="200 OK", length=None, **fields):
    """The bytes of a response with a length; `length` is the lie."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(head).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def chunked(pieces, end=b"0\r\n\r\n"):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + end


class Server:
    """Answers each path with what stands in `routes`: bytes to send, or a function of the Client. A function that returns
    True, and bytes that are a complete response with a length, keep the connection."""

    def __init__(self, tls=None):
        self.tls = tls  # an ssl.SSLContext
        self.routes = {}
        self.requests = []  # paths as they came
        self.heads = []
        self.connections = 0
        self.lock = threading.Lock()
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, path):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{path}"

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                client = Client(connection, self.connections)
                self.connections += 1
                self.open.add(connection)
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        if self.tls:
            plain = client.connection
            try:
                client.connection = self.tls.wrap_socket(plain, server_side=True)
            except OSError:  # the client did not like the certificate
                plain.close()
                return
        with client.connection:
            while (path := client.next_request()) is not None:
                with self.lock:
                    self.requests.append(path)
                    self.heads.append(client.head)
                route = self.routes.get(path, response(b"there is no such thing", "404 Not Found"))
                if callable(route):
                    if not route(client):
                        break
                    continue
                client.send(route)
                if b"Content-Length" not in route or b"Transfer-Encoding" in route:
                    break
        with self.lock:
            self.open.discard(client.connection)

    def close(self):
        self.listener.close()
        with self.lock:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
