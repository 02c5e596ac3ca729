package main

import (
	"context"

	"github.com/carnet-go/carnet/revocation/redislist"
)

// followAll prints what the list has and what comes to it. It follows before it
// lists, so that no mark falls in between.
func (v *deniedVerb) followAll(ctx context.Context, l *denylist, out *printer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.follow(ctx, func(e redislist.Entry) {
			if out.print(e); out.failed() {
				cancel() // nobody reads
			}
		})
	}()
	for e := range l.marks() {
		out.print(e)
	}
	<-ended
	out.mu.Lock()
	defer out.mu.Unlock()
	return out.err
}

func (p *printer) failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err != nil
}
