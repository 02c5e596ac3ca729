package freshness

import (
	"time"

	"github.com/carnet-go/carnet/token"
)

// defaultBound is longer than a Redis takes to fail over or to restart, and
// shorter than it takes to notice that a session was stolen and to act on it.
const defaultBound = time.Minute

func orDefault(bound time.Duration) time.Duration {
	if bound == 0 {
		return defaultBound
	}
	return bound
}

// Closed lets sessions pass while the copy is at most bound old, and nobody
// after. Zero means a minute.
//
// Under attack: who cuts a node off gets a session that was revoked meanwhile
// accepted there for at most bound, and after that an outage of that node.
func Closed(bound time.Duration) Policy {
	bound = orDefault(bound)
	return func(_ token.Claims, age time.Duration) error {
		if age <= bound {
			return nil
		}
		return &StaleError{age, bound}
	}
}

// Open lets sessions pass however old the copy is. Audit is told of each one that
// passes with a copy older than bound; it is called on the request's goroutine,
// and gets claims. Zero means a minute. It panics without an audit.
//
// Under attack: who cuts a node off gets a session that was revoked meanwhile
// accepted there for as long as he keeps it up, until the session ends. Use it
// where an outage costs more than that, and read the audit afterwards.
func Open(bound time.Duration, audit func(c token.Claims, age time.Duration)) Policy {
	if audit == nil {
		panic("freshness: Open needs somebody to tell")
	}
	bound = orDefault(bound)
	return func(c token.Claims, age time.Duration) error {
		if age > bound {
			audit(c, age)
		}
		return nil
	}
}

// Recent is [Closed], but goes on with sessions that began at most bound ago:
// people can log in again during the outage, and have to about once per bound.
//
// Under attack: no revocation is missed for longer than bound, as with Closed,
// give or take what the clocks of two nodes differ by. The exception is a key that
// was stolen: its thief dates sessions as he likes. Revoke that key in the ring,
// which needs no denylist.
func Recent(bound time.Duration) Policy {
	bound = orDefault(bound)
	return func(c token.Claims, age time.Duration) error {
		if age <= bound || time.Since(c.StartedAt) <= bound {
			return nil
		}
		return &StaleError{age, bound}
	}
}

// Established is [Closed], but goes on with sessions that began before the copy
// was last complete: those who were logged in stay so, and sessions that began
// since then get 503.
//
// Under attack: as with [Open], for every session that was stolen before the
// outage. It keeps out only who logs in during the outage, say with a stolen
// password.
func Established(bound time.Duration) Policy {
	bound = orDefault(bound)
	return func(c token.Claims, age time.Duration) error {
		if age <= bound || time.Since(c.StartedAt) > age {
			return nil
		}
		return &StaleError{age, bound}
	}
}
