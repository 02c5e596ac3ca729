package redislist

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/markset"
)

const (
	looseRecords = 20_000 // that a log may have beside full ones
	packEntries  = 2000   // in a call of the script
	grace        = 120    // seconds that a mark stays in the log after its end, for slow clocks
)

// crowded reports whether the log has many more records or marks than it needs.
func (l *List) crowded() bool {
	live := int64(l.set.Len())
	return l.xlen.Load() > looseRecords+live/100 || l.entries.Load() > 2*live+20*looseRecords
}

// packLog moves marks from the start of the log to its end, in full records,
// without those that are over. Whoever reads meanwhile finds them before they go.
func (l *List) packLog() error {
	held, err := l.lease(l.keys.packing)
	if err != nil || !held {
		return err
	}
	defer l.giveBack(l.keys.packing)
	// Once through the log is enough.
	for left := l.xlen.Load(); left > 0 && l.crowded() && l.ctx.Err() == nil; {
		n, err := l.packSome()
		if err != nil || n == 0 {
			return err
		}
		left -= int64(n)
		if err := l.keep(l.keys.packing); err != nil {
			return err
		}
		l.pause(time.Millisecond) // the server has others to serve
	}
	return nil
}

// packSome packs the oldest records, and returns how many. Zero means that there
// are none, or that another node packs.
func (l *List) packSome() (n int, err error) {
	old, err := call(l.ctx, l, l.mends, 2*time.Second, func(ctx context.Context) ([]redis.XMessage, error) {
		return l.client.XRangeN(ctx, l.keys.log, "-", "+", packEntries).Result()
	})
	if err != nil || len(old) < 2 {
		return 0, err
	}
	records, total, next, err := l.oldest(old)
	if err != nil {
		return 0, err
	}
	packed := bodies(records)
	args := append([]any{old[0].ID, old[next].ID, len(records) - total}, packed...)
	v, err := call(l.ctx, l, l.mends, l.config.Timeout, func(ctx context.Context) (any, error) {
		return l.script(ctx, pack, []string{l.keys.head, l.keys.log}, 0, args...)
	})
	if err != nil || number(v) == 0 {
		return 0, err
	}
	l.xlen.Add(int64(len(packed) - next))
	l.entries.Add(int64(len(records) - total))
	return next, nil
}

// oldest returns what is to stay of the oldest messages, up to packEntries, how
// many entries they had, and the message that comes after them.
func (l *List) oldest(messages []redis.XMessage) (stay []item, total, next int, err error) {
	seen := make(map[markset.Entry]bool)
	limit := time.Now().Unix() - grace
	for ; next < len(messages)-1 && total < packEntries; next++ {
		r, err := read(messages[next])
		if err != nil {
			return nil, 0, 0, err
		}
		n, err := items(r.body, func(i item) {
			if i.Until <= limit || seen[i.Entry] && !i.undo {
				return
			}
			if seen[i.Entry] = true; !i.undo {
				i.note = l.notes.get(i.Entry) // none if it is too old; or one that came later
			}
			stay = append(stay, i)
		})
		if err != nil {
			return nil, 0, 0, err
		}
		total += n
	}
	return stay, total, next, nil
}
