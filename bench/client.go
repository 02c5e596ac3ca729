package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"
)

// A keepAlive sends requests on one connection, with as little work of its own as
// there can be.
type keepAlive struct {
	addr    string
	server  *http.Server
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
}

// serve serves a handler over TCP, and returns the one client of it.
func serve(h http.Handler) *keepAlive {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Hour} // a connection waits for its turn
	go server.Serve(l)
	k := &keepAlive{addr: l.Addr().String(), server: server}
	k.dial()
	return k
}

func (k *keepAlive) close() {
	k.conn.Close()
	k.server.Close()
}

func (k *keepAlive) dial() {
	k.conn = must(net.Dial("tcp", k.addr))
	k.reader = bufio.NewReader(k.conn)
}

// redial takes another connection. One can be dearer than the next by a tenth for as
// long as it lives, whatever is sent.
func (k *keepAlive) redial() {
	k.conn.Close()
	k.dial()
}

// getWith sends a request with a Cookie header, or without one if it is empty.
func (k *keepAlive) getWith(cookie string) {
	k.request = append(k.request[:0], "GET /me HTTP/1.1\r\nHost: example.com\r\n"...)
	if cookie != "" {
		k.request = append(append(append(k.request, "Cookie: "...), cookie...), "\r\n"...)
	}
	k.request = append(k.request, "\r\n"...)
	_, err := k.conn.Write(k.request)
	check(err)
	resp := must(http.ReadResponse(k.reader, nil))
	_, err = io.Copy(io.Discard, resp.Body)
	check(err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		panic(resp.Status)
	}
}
