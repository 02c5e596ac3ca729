package redisring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/keys/keystore"
)

const (
	// pollEvery is how often a node asks for the state of the ring and says that
	// it is there: one small script.
	pollEvery = time.Second

	// forgotten is when a node that fell silent is not listed any more.
	forgotten = time.Hour
)

// Watch subscribes to changes, and asks once a second in case that one is lost: a
// subscription to a server that hangs or lost its place says nothing. It does not
// return before ctx is done.
func (s *Store) Watch(ctx context.Context, changed func()) error {
	sub := s.client.Subscribe(ctx, s.key("ring"))
	defer sub.Close()
	messages := sub.Channel()
	last := "?"
	for {
		digest, err := s.beat(ctx)
		if err != nil {
			digest = "unknown" // who is told of a change finds out why, and says so
		}
		if digest != last {
			last = digest
			changed()
		}
		select {
		case <-ctx.Done():
			s.leave(ctx)
			return ctx.Err()
		case m, ok := <-messages:
			if !ok {
				messages = nil
			} else if m.Payload != last {
				last = m.Payload
				changed()
			}
		case <-time.After(keystore.Jitter(pollEvery)):
		}
	}
}

// Report tells the other nodes at once, and again each second while Watch runs.
func (s *Store) Report(ctx context.Context, r keystore.Report) error {
	s.mu.Lock()
	if s.report != nil && s.report.Key != r.Key {
		s.pending = 0 // of a key that has been replaced, so its count matters no more
	}
	s.pending += r.Sealed
	s.report = &r
	s.mu.Unlock()
	_, err := s.beat(ctx)
	return err
}

// beat reports, and returns the digest of the document.
func (s *Store) beat(ctx context.Context) (string, error) {
	s.mu.Lock()
	node, text, key, sealed := "", "", "", s.pending
	if r := s.report; r != nil {
		node, key = s.node, r.Key
		text = fmt.Sprintf("%d %d %t", time.Now().UnixMilli(), r.Generation, r.VerifyOnly)
	}
	s.pending = 0
	s.mu.Unlock()
	digest, err := do(ctx, s, "report to the other nodes", func(ctx context.Context) (string, error) {
		parts := []string{s.key("ring"), s.key("nodes"), s.key("sealed")}
		return beatScript.Run(ctx, s.client, parts, node, text, key, sealed).Text()
	})
	if err != nil {
		// It may have been counted. Counting twice rotates early, which harms nobody.
		s.mu.Lock()
		s.pending += sealed
		s.mu.Unlock()
	}
	return digest, err
}

// leave takes this node off the list.
func (s *Store) leave(ctx context.Context) {
	do(context.WithoutCancel(ctx), s, "leave the other nodes", func(ctx context.Context) (int64, error) {
		return s.client.HDel(ctx, s.key("nodes"), s.node).Result()
	})
}

// Nodes returns the nodes of the last hour, by name.
func (s *Store) Nodes(ctx context.Context) ([]keystore.Node, error) {
	type answer struct {
		now   time.Time
		lines map[string]string
	}
	a, err := do(ctx, s, "list the nodes", func(ctx context.Context) (a answer, err error) {
		if a.lines, err = s.client.HGetAll(ctx, s.key("nodes")).Result(); err == nil {
			a.now, err = s.time(ctx)
		}
		return a, err
	})
	if err != nil {
		return nil, err
	}
	var nodes []keystore.Node
	for name, line := range a.lines {
		n, err := parseNode(name, line, a.now)
		if err != nil || n.Silent > forgotten {
			do(ctx, s, "forget a node", func(ctx context.Context) (int64, error) {
				return s.client.HDel(ctx, s.key("nodes"), name).Result()
			})
			continue
		}
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b keystore.Node) int { return cmp.Compare(a.Name, b.Name) })
	return nodes, nil
}

var timeScript = redis.NewScriptServerSHA(`return redis.call('TIME')`)

// Now returns the time of the server that notes the reports.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	return do(ctx, s, "read the clock", s.time)
}

func (s *Store) time(ctx context.Context) (time.Time, error) {
	t, err := timeScript.Run(ctx, s.client, []string{s.key("nodes")}).Int64Slice()
	if err != nil || len(t) != 2 {
		return time.Time{}, cmp.Or(err, errors.New("the server has no time"))
	}
	return time.Unix(t[0], t[1]*1000), nil
}

// parseNode reads "<server ms> <node ms> <generation> <verify-only>".
func parseNode(name, line string, now time.Time) (n keystore.Node, err error) {
	f := strings.Split(line, " ")
	if len(f) != 4 {
		return n, errors.New("not a node's report")
	}
	seen, err1 := strconv.ParseInt(f[0], 10, 64)
	clock, err2 := strconv.ParseInt(f[1], 10, 64)
	generation, err3 := strconv.ParseUint(f[2], 10, 64)
	verifyOnly, err4 := strconv.ParseBool(f[3])
	return keystore.Node{
		Name: name, Generation: generation, VerifyOnly: verifyOnly,
		Silent: max(0, now.Sub(time.UnixMilli(seen))),
		Skew:   time.Duration(clock-seen) * time.Millisecond,
	}, errors.Join(err1, err2, err3, err4)
}

// Sealed returns how many tokens all nodes together report to have sealed with a
// key.
func (s *Store) Sealed(ctx context.Context, kid string) (uint64, error) {
	n, err := do(ctx, s, "count sealed tokens", func(ctx context.Context) (uint64, error) {
		return s.client.HGet(ctx, s.key("sealed"), kid).Uint64()
	})
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	return n, err
}
