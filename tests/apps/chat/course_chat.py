# SPDX-License-Identifier: MIT
"""The chat of the course, written anew: with no care for anything. usage: course_chat.py LPORT HOST RPORT"""

import socket
import sys
import threading

peer = (sys.argv[2], int(sys.argv[3]))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", int(sys.argv[1])))


def receive():
    while True:
        data, address = s.recvfrom(1024)
        print(f"{address[0]}:{address[1]}: {data.decode()}", flush=True)


threading.Thread(target=receive, daemon=True).start()
while True:
    try:
        s.sendto(input().encode(), peer)
    except EOFError:
        break
