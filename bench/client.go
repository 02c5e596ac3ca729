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
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
}

func newKeepAlive(addr, cookie string) *keepAlive {
	conn := must(net.Dial("tcp", addr))
	text := "GET /me HTTP/1.1\r\nHost: example.com\r\n"
	if cookie != "" {
		text += "Cookie: " + cookie + "\r\n"
	}
	return &keepAlive{conn, bufio.NewReader(conn), []byte(text + "\r\n")}
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
