package redislist_test

import (
	"flag"
	"testing"

	"github.com/carnet-go/carnet/internal/inflight"
	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation/redislist"
)

var logouts = flag.Int("logouts", 60, "how many logouts meet a response in flight")

// Each node has a copy of its own.
func TestAResponseInFlightLogsNobodyIn(t *testing.T) {
	t.Parallel()
	addr := redistest.Start(t).Addr
	here := open(t, connect(t, addr), redislist.Config{}, "web:")
	there := open(t, connect(t, addr), redislist.Config{}, "web:")
	ready(t, here, there)
	inflight.Logouts(t, *logouts, here, there)
}
