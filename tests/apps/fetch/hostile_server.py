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

    def field(self, name):
        """The value of a field of the request; None without one, all of them joined where there are several."""
        lines = [line.partition(b":") for line in self.head.split(b"\r\n")[1:]]
        values = [value.strip().decode("latin-1") for key, _, value in lines if key.decode().lower() == name.lower()]
        return ", ".join(values) if values else None

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


class Thing:
    """Content that can be asked for in parts: a route. It says of what version it is as HTTP demands, unless told not to."""

    def __init__(self, body, etag='"1"', **fields):
        self.body = body
        self.fields = {"ETag": etag, **fields} if etag else fields
        self.asked = []  # of each request, as it came: (Range, If-Range), None where there is none
        self.plan = []  # for the next answers, one each: so many bytes of the body and no more, None: all; or bytes to send
        self.cuts = {}  # the same for answers that begin at an offset, once
        self.divided = True  # it has parts
        self.hold = False  # where a body is cut short, the connection stays
        self.held = threading.Semaphore(0)  # released by each body that is held
        self.before = lambda client, first: None  # called when a request has come
        self.lock = threading.Lock()

    def ranges(self):
        return [what for what, _ in self.asked]

    def validator(self):
        return self.fields.get("ETag") or self.fields.get("Last-Modified")

    def __call__(self, client):
        what, version = client.field("Range"), client.field("If-Range")
        with self.lock:
            self.asked.append((what, version))
            most = self.plan.pop(0) if self.plan else None
        if isinstance(most, bytes):
            client.send(most)
            return False
        first, end, status = 0, len(self.body), "200 OK"
        fields = dict(self.fields)
        if what and self.divided and version in (None, self.validator()):
            first, _, last = what.removeprefix("bytes=").partition("-")
            first, end = int(first), min(int(last) + 1 if last else end, end)
            if first >= len(self.body):
                client.send(response(b"", "416 Range Not Satisfiable", Content_Range=f"bytes */{len(self.body)}", **fields))
                return True
            status = "206 Partial Content"
            fields["Content-Range"] = f"bytes {first}-{end - 1}/{len(self.body)}"
        self.before(client, first)
        with self.lock:
            most = self.cuts.pop(first, most)
        if most is None:
            client.send(response(self.body[first:end], status, **fields))
            return True
        client.send(response(self.body[first : min(first + most, end)], status, length=end - first, **fields))
        if self.hold:
            self.held.release()
            client.until_gone()
        return False


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
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()

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
        self.listener.shutdown(socket.SHUT_RDWR)
        self.accepting.join()  # else it might accept from the next server, whose socket has the same number
        self.listener.close()
        with self.lock:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
