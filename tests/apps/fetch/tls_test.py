# SPDX-License-Identifier: MIT
"""https: whom the downloader trusts, and what it says when it does not."""

import os
import socket
import ssl
import sys
import threading

from harness import NETWORK, OK, TLS, FetchCase, main
from hostile_server import Server, response

CERTIFICATES = os.path.abspath(sys.argv.pop(2))
BODY = bytes(range(256)) * 4000


def certificate(name):
    return os.path.join(CERTIFICATES, name)


def server_side(name="server"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(f"{name}.pem"), certificate(f"{name}.key"))
    return context


TRUST = ("--cacert", certificate("authority.pem"))


class Tls(FetchCase):
    def secure(self, name="server", what=response(BODY)):
        server = Server(server_side(name))
        self.addCleanup(server.close)
        server.routes["/x"] = what
        return server

    def test_the_same_bytes(self):
        server = self.secure()
        self.check(self.fetch(*TRUST, server.url("/x")), OK, {"x": BODY})

    def test_many_on_few_connections(self):
        server = self.secure()
        for n in range(20):
            server.routes[f"/{n}"] = response(b"%d" % n * 1000)
        urls = [server.url(f"/{n}") for n in range(20)]
        self.check(self.fetch("-j", 2, *TRUST, *urls), OK, {str(n): b"%d" % n * 1000 for n in range(20)})
        self.assertLessEqual(server.connections, 2)

    def test_whom_it_does_not_trust(self):
        for name, words in (("lone", "self-signed"), ("expired", "has expired"), ("elsewhere", "for another host")):
            server = self.secure(name)
            result = self.fetch(*TRUST, server.url("/x"))
            self.check(result, TLS, {}, ("certificate", words))
            self.assertEqual(server.requests, [])

    def test_a_name_in_the_subject_is_none(self):
        server = self.secure("nameless")
        url = f"https://localhost:{server.port}/x"
        self.check(self.fetch("--cacert", certificate("nameless.pem"), url), TLS, {}, "the certificate is for another host")

    def test_the_systems_authorities_do_not_know_ours(self):
        self.check(self.fetch(self.secure().url("/x")), TLS, {}, "certificate")

    def test_told_to_trust_anybody(self):
        for name in ("lone", "expired", "elsewhere"):
            server = self.secure(name)
            self.check(self.fetch("-k", "-o", "x", server.url("/x")), OK, {"x": BODY}, "certificates are not checked")

    def test_an_authority_that_is_none(self):
        self.check(self.fetch("--cacert", "/nowhere.pem", "https://127.0.0.1:1/x"), TLS, {}, "/nowhere.pem: No such file")

    def test_a_server_that_speaks_no_tls(self):
        def complain(listener):
            with listener.accept()[0] as client:
                client.recv(1000)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        with socket.create_server(("127.0.0.1", 0)) as plain:
            threading.Thread(target=complain, args=(plain,), daemon=True).start()
            url = f"https://127.0.0.1:{plain.getsockname()[1]}/x"
            self.check(self.fetch(*TRUST, url), TLS, {}, "TLS handshake")

    def session(self, context, talk):
        """A server of one connection: `talk` has the session, and a function that sends what the session has to send and then
        more. The connection stays until the client has gone, so that it reads everything. Gives the URL."""
        def run(listener):
            with listener, listener.accept()[0] as raw:
                coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
                session = context.wrap_bio(coming, going, server_side=True)

                def flush(more=b""):
                    raw.sendall(going.read() + more)

                def do(action):
                    while True:
                        try:
                            return action()
                        except ssl.SSLWantReadError:
                            flush()
                            coming.write(raw.recv(65536))

                try:
                    do(session.do_handshake)
                    do(lambda: session.read(65536))
                    talk(session, flush)
                except ssl.SSLError:
                    flush()  # the alert
                try:
                    while raw.recv(65536):
                        pass
                except OSError:
                    pass

        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        threading.Thread(target=run, args=(listener,), daemon=True).start()
        return f"https://127.0.0.1:{port}/x"

    def test_what_the_other_side_complains_of(self):
        context = server_side()
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate("authority.pem"))
        url = self.session(context, lambda session, flush: None)
        self.check(self.fetch(*TRUST, url), TLS, {}, "alert certificate required")

    def test_a_record_that_is_none(self):
        def talk(session, flush):
            session.write(response(b"some", length=100))
            flush(b"\x17\x03\x03\x00\x20" + b"?" * 32)

        url = self.session(server_side(), talk)
        self.check(self.fetch(*TRUST, url), TLS, {}, ["the connection broke after 4", "bad record mac"])

    def test_a_silent_server(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"https://127.0.0.1:{silent.getsockname()[1]}/x"
            self.check(self.fetch("--stall-timeout", "0.3", *TRUST, url), NETWORK, {}, "no answer for")

    def test_a_server_that_leaves_in_the_handshake(self):
        with socket.create_server(("127.0.0.1", 0)) as rude:
            threading.Thread(target=lambda: rude.accept()[0].close(), daemon=True).start()
            url = f"https://127.0.0.1:{rude.getsockname()[1]}/x"
            self.check(self.fetch(*TRUST, url), NETWORK, {}, "TLS handshake with 127.0.0.1")

    def test_a_body_that_only_close_notify_ends(self):
        def whole(client):
            client.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY)
            try:
                client.connection.unwrap()
            except OSError:  # the client closes without a word
                pass

        def cut(client):
            client.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY)

        self.check(self.fetch(*TRUST, self.secure(what=whole).url("/x")), OK, {"x": BODY})
        self.check(self.fetch(*TRUST, "-o", "y", self.secure(what=cut).url("/x")), NETWORK, {"x": BODY}, "truncated")

    def test_a_body_with_a_length_needs_none(self):
        def whole(client):
            client.send(response(BODY, Connection="close"))

        self.check(self.fetch(*TRUST, self.secure(what=whole).url("/x")), OK, {"x": BODY})

    def test_redirects(self):
        server = self.secure()
        plain = self.serve("/plain", response(b"in clear"))
        server.routes["/down"] = response(b"", "302 Found", Location=plain)
        self.check(self.fetch(*TRUST, server.url("/down")), TLS, {}, "redirect from https to http://")
        self.assertEqual(self.server.requests, [])
        up = self.serve("/up", response(b"", "302 Found", Location=server.url("/x")))
        self.check(self.fetch(*TRUST, up), OK, {"up": BODY})


if __name__ == "__main__":
    main()
