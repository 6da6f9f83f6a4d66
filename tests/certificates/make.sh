#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Made the certificates that lie here: an authority and what it signed, valid for a hundred years but for the expired one.
# The keys are for tests, and known to everybody.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Signatures of one size, so that handshakes are the same in each simulated run.
key() { # NAME [ALGORITHM OPTIONS...]
    local name=$1
    shift
    openssl genpkey -algorithm "${@:-ED25519}" -out "$name.key"
}

self_signed() { # NAME SUBJECT EXTENSION [ALGORITHM OPTIONS...]
    key "$1" "${@:4}"
    openssl req -x509 -new -key "$1.key" -days 36500 -subj "/CN=$2" -addext "$3" -out "$1.pem"
}

signed() { # NAME DAYS NAMES
    key "$1"
    openssl req -new -key "$1.key" -subj "/CN=ringlet test server" |
        openssl x509 -req -CA authority.pem -CAkey authority.key -CAcreateserial -days "$2" \
            -extfile <(printf 'subjectAltName=%s\n' "$3") -out "$1.pem"
}

self_signed authority "ringlet test authority" "keyUsage=keyCertSign"
self_signed lone "localhost" "subjectAltName=DNS:localhost"
self_signed nameless "localhost" "keyUsage=digitalSignature,keyCertSign" # its name is in the subject only
self_signed p256 "ringlet test server with a P-256 key" "subjectAltName=DNS:localhost,IP:127.0.0.1" \
    EC -pkeyopt ec_paramgen_curve:P-256 # for servers that take no Ed25519 key
signed server 36500 "DNS:localhost,DNS:*.example.test,IP:127.0.0.1,IP:::1"
signed elsewhere 36500 "DNS:elsewhere.example"
signed expired -1 "DNS:localhost,IP:127.0.0.1"
rm -f authority.key authority.srl
