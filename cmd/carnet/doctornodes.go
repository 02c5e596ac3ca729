package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/keystore"
)

const (
	silence = 10 * time.Second // nodes report each second
	skew    = 5 * time.Second  // far below the leeway of verifiers, and no accident
)

// clock compares that of this machine, by which it rotates and prunes.
func (v *doctorVerb) clock(ctx context.Context, store keystore.Shared) {
	now, err := store.Now(ctx)
	if err != nil {
		v.say("clock of Redis", err.Error(), "see whether Redis answers")
		return
	}
	problem := ""
	if off := time.Until(now); off.Abs() > skew {
		problem = fmt.Sprintf("it is %+.1fs off that of this machine", off.Seconds())
	}
	v.say("clock of Redis", problem, "synchronize the one that is wrong: that of Redis if every node is off alike")
}

func (v *doctorVerb) nodes(ctx context.Context, p place, set *keys.Set, store keystore.Shared) {
	nodes, err := store.Nodes(ctx)
	if err != nil {
		v.say("nodes", err.Error(), "see whether Redis answers")
		return
	}
	if len(nodes) == 0 {
		v.say("nodes", "none follows the ring", "start one, or see whether they follow another place")
	}
	newest := set.Generation()
	if now, err := p.load(ctx); err == nil {
		newest = now.Generation() // it may have been edited meanwhile
	}
	for _, n := range nodes {
		var problems, toDo []string
		add := func(do, format string, args ...any) {
			problems, toDo = append(problems, fmt.Sprintf(format, args...)), append(toDo, do)
		}
		if n.Silent > silence {
			add("see whether it runs; an hour after its end it is forgotten", "it was last heard of %s ago", ago(n.Silent))
		}
		if n.Generation < set.Generation() {
			add("see what its log says about the ring; it needs the present key-encryption key", "it has generation %d, and the ring is at %d", n.Generation, set.Generation())
		}
		if n.Generation > newest {
			add("see what its log says; if this ring was made by mistake, a node puts the lost one back after "+p.redisDel("ring"), "it has generation %d, which this ring has not reached: it follows another ring or another history of it", n.Generation)
		}
		if n.Skew.Abs() > skew {
			add("synchronize its clock", "its clock is %+.1fs off that of Redis", n.Skew.Seconds())
		}
		v.say("node "+visible(n.Name), strings.Join(problems, "; "), strings.Join(toDo, "; "))
	}
}

func (v *doctorVerb) settings(ctx context.Context, store keystore.Shared) {
	redis, ok := store.(interface {
		Settings(ctx context.Context) ([]string, error)
	})
	if !ok {
		return
	}
	problems, err := redis.Settings(ctx)
	if err != nil {
		problems = []string{err.Error()}
	}
	if len(problems) == 0 {
		v.say("settings of Redis", "", "")
	}
	for _, problem := range problems {
		what, toDo, _ := cutLast(problem, ": ")
		v.say("settings of Redis", what, toDo)
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
