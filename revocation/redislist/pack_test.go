package redislist_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

// A log of many small records is packed, while a node follows it and others start on
// it, even when nothing in it is over yet.
func TestALogIsPacked(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	l := open(t, connect(t, s.Addr), patient, "packed:")
	ready(t, l)
	var sessions []token.Claims
	for range 20_500 {
		sessions = append(sessions, login("alice"))
	}
	const writers = 20
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; i < len(sessions); i += writers {
				if err := l.Revoke(t.Context(), revocation.Session(sessions[i])); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	eventually(t, "packing", func() bool {
		n, err := strconv.Atoi(s.Must("XLEN", "{packed:}revoked:log"))
		return err == nil && n < 20_000
	})
	lists := []*redislist.List{l}
	for range 3 {
		lists = append(lists, open(t, connect(t, s.Addr), patient, "packed:"))
	}
	ready(t, lists...)
	for _, l := range lists {
		for _, c := range sessions {
			if !refused(l, c) {
				t.Fatal("a revoked session is accepted after packing")
			}
		}
	}
}
