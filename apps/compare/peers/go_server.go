// SPDX-License-Identifier: MIT
// The same pages by Go's net/http: a goroutine for each connection.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	send := func(out http.ResponseWriter, body []byte) {
		out.Header().Set("Content-Type", "text/plain; charset=utf-8")
		out.Header().Set("Content-Length", strconv.Itoa(len(body)))
		out.Write(body)
	}
	for _, name := range []string{"/1k", "/1m"} {
		page, err := os.ReadFile(os.Args[1] + name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		http.HandleFunc(name, func(out http.ResponseWriter, _ *http.Request) { send(out, page) })
	}
	http.HandleFunc("/slow", func(out http.ResponseWriter, _ *http.Request) {
		time.Sleep(50 * time.Millisecond)
		send(out, []byte("This took a while.\n"))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("Serving at http://%s/\n", listener.Addr())
	fmt.Fprintln(os.Stderr, http.Serve(listener, nil))
	os.Exit(1)
}
