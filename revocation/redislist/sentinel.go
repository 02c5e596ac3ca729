package redislist

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// patrol is how often a client behind Sentinel is made to ask who the master is.
const patrol = 2 * time.Second

// watch makes a client behind Sentinel look where the master is. By itself it does
// so when it dials, and when a Sentinel tells it. What a Sentinel tells during a
// partition it doesn't hear, and while the old master takes its writes it dials
// nobody; Sentinels leave such a master alone for eight seconds more.
func (l *List) watch() {
	c, ok := l.client.(*redis.Client)
	if !ok || c.Options().Addr != "FailoverClient" {
		return
	}
	for s := newSlots(1); l.pause(around(patrol)); {
		call(l.ctx, l, s, time.Second, func(ctx context.Context) (any, error) {
			conn, err := c.Options().Dialer(ctx, "tcp", "")
			if err != nil {
				return nil, err
			}
			return nil, conn.Close()
		})
	}
}
