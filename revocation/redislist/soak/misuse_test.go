package soak

import (
	"testing"
	"time"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
)

// A Redis that refuses, and one in which somebody else has been at the keys of the list.
// A node refuses what it was told to refuse, and so do the others when that is over, one
// that starts afterwards too.
func TestWhatElseCanBefallARedis(t *testing.T) {
	const log, head = "{soak:}revoked:log", "{soak:}revoked:head"
	for name, f := range map[string]struct{ fault, cure []string }{
		"no memory left":         {[]string{"CONFIG", "SET", "maxmemory", "1"}, []string{"CONFIG", "SET", "maxmemory", "0"}},
		"scripts forgotten":      {[]string{"SCRIPT", "FLUSH"}, nil},
		"a replica":              {[]string{"REPLICAOF", "127.0.0.1", "1"}, []string{"REPLICAOF", "NO", "ONE"}},
		"commands forbidden":     {[]string{"ACL", "SETUSER", "default", "-@write", "-@scripting"}, []string{"ACL", "SETUSER", "default", "+@all"}},
		"no head":                {[]string{"DEL", head}, nil},
		"no log":                 {[]string{"DEL", log}, nil},
		"another log":            {[]string{"RENAME", log, log + ":"}, nil},
		"no record":              {[]string{"XADD", log, "*", "e", "nonsense"}, []string{"DEL", log}},
		"another field":          {[]string{"XADD", log, "*", "other", "x"}, []string{"DEL", log}},
		"another type":           {[]string{"COPY", head, log, "REPLACE"}, []string{"DEL", log}},
		"another version":        {[]string{"HSET", head, "v", "9"}, []string{"HSET", head, "v", "1"}},
		"connections are killed": {[]string{"CLIENT", "KILL", "TYPE", "normal"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := redistest.Start(t)
			a := open(t, connect(t, s.Addr), redislist.Config{})
			b := open(t, connect(t, s.Addr), redislist.Config{})
			ready(t, a, b)
			s.Must(f.fault...)
			c := login()
			err := a.Revoke(t.Context(), revocation.Session(c))
			t.Logf("Revoke: %v", err)
			if !refused(a, c) {
				t.Error("the node accepts what it was told to refuse")
			}
			time.Sleep(span(time.Second, 5*time.Second))
			if f.cure != nil {
				s.Must(f.cure...)
			}
			waitFor(t, "the other node", func() bool { return refused(b, c) })
			waitFor(t, "fresh copies", func() bool { return max(a.Age(), b.Age()) < 4*time.Second })
			late := open(t, connect(t, s.Addr), redislist.Config{})
			ready(t, late)
			if !refused(late, c) {
				t.Error("a node that starts afterwards accepts it")
			}
		})
	}
}
