package keystore

import (
	"context"
	"time"
)

// waitNotice is how long a store waits for others in silence.
const waitNotice = time.Second

type waitKey struct{}

// NoticeWait returns a context with which a store calls notice once it has waited
// a second for somebody else, for example for the lock of a file. What says for
// whom or what, for a person.
func NoticeWait(ctx context.Context, notice func(what string)) context.Context {
	return context.WithValue(ctx, waitKey{}, notice)
}

func noticeWait(ctx context.Context, what string) {
	if notice, ok := ctx.Value(waitKey{}).(func(string)); ok {
		notice(what)
	}
}
