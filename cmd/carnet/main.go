// Command carnet turns the keys of a session ring: it makes them, rotates them,
// takes them back, and hands out what other nodes need to read tokens.
//
//	carnet init ring.json --insecure-plain
//	carnet export ring.json --out verify.json
//	carnet rotate ring.json
//
// Results go to standard output and everything else to standard error. The exit
// code is 0 if all went well, 1 if the operation was refused or failed or a
// token was rejected, and 2 if the command line was wrong.
package main

import (
	"os"

	"github.com/redis/go-redis/v9"
)

func main() {
	redis.SetLogger(silent{}) // what it would say comes as errors too
	out := &output{File: os.Stdout}
	cmd, err := newRoot(out).ExecuteC()
	os.Exit(report(cmd, out.check(err)))
}
