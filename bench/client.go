package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// A keepAlive sends the same request again and again on one connection, with as
// little work of its own as there can be.
type keepAlive struct {
	addr    string
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
}

func newKeepAlive(addr, cookie string) *keepAlive {
	text := "GET /me HTTP/1.1\r\nHost: example.com\r\n"
	if cookie != "" {
		text += "Cookie: " + cookie + "\r\n"
	}
	k := &keepAlive{addr: addr, request: []byte(text + "\r\n")}
	k.dial()
	return k
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

func (k *keepAlive) get() {
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
