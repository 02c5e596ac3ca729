package redislist

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/markset"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/freshness"
	"github.com/carnet-go/carnet/token"
)

// ErrNotConfirmed is what [List.Revoke] returns when Redis did not say in time that
// it has the marks, as safely as [Config.Replicas] asks. They hold on this node all
// the same, and are sent until Redis has them. It says nothing about any token.
var ErrNotConfirmed = errors.New("redislist: not confirmed by Redis; this node refuses the session, the others may not yet")

// ErrClosed is what [List.Revoke] returns after Close.
var ErrClosed = errors.New("redislist: the list is closed")

const (
	interval = 800 * time.Millisecond  // of heartbeats
	hurry    = 250 * time.Millisecond  // the same while something is wrong
	warmUp   = 1500 * time.Millisecond // of an epoch: every node has noticed it by then
	margin   = 2 * time.Second         // for how long two masters can both take writes in a planned failover
	block    = time.Second             // of a read that waits for news
	never    = math.MinInt64           // a copy that has not been complete
)

// A Config says how a list works. Its zero value is what [New] uses.
type Config struct {
	// Replicas is how many replicas must have a mark before Revoke returns nil, by
	// the WAIT command. Zero means that the master's word is enough: then a mark is
	// lost if the master dies before it has sent it on, and with it every node that
	// had it. With one or more a heartbeat, too, counts only if as many replicas
	// have it: a master that is cut off from its replicas makes copies old.
	Replicas int

	// Bound is how old the copy may be for [List.Check] to let a session pass, as in
	// [freshness.Closed]. Zero means one minute. Use [freshness.NewChecker] for
	// another policy on some routes.
	Bound time.Duration

	// Timeout is how long Revoke waits for Redis. Zero means one second.
	Timeout time.Duration

	// Max is the most marks that Revoke adds to. Zero means 20 million, which take
	// 540 MB in each node and 400 MB in Redis. Marks that come from other nodes are
	// kept in any case.
	Max int

	// Log is told what happens to the copy, without a claim. Nil means
	// slog.Default().
	Log *slog.Logger
}

// A List is a [revocation.List] in Redis with a copy of all of it in this process.
// It is safe for concurrent use.
type List struct {
	set    *markset.Set
	notes  notes
	client redis.UniversalClient
	keys   keys
	config Config
	node   string

	base  time.Time             // what the next two count from, by the monotonic clock
	fresh atomic.Int64          // the copy has all that was acknowledged before; never if it has not been complete
	down  atomic.Bool           // the breaker: Redis does not answer
	away  atomic.Bool           // nor can it be dialled
	why   atomic.Pointer[error] // it is down, or refuses

	lacking atomic.Bool // the log may lack marks that others count on

	chain  chain
	clocks clocks

	own       own
	followers followers

	ctx     context.Context
	cancel  context.CancelFunc
	closing sync.RWMutex // held to cancel, so that nothing begins after
	wg      sync.WaitGroup
	wake    chan struct{} // for the mender
	ready   chan struct{} // closed when the copy is complete for the first time
	once    sync.Once

	revokes, beats, reads, mends slots
	reload                       reloader
	xlen, entries                atomic.Int64 // of the log, by the last heartbeat
}

// keys are the names in Redis. The braces put them on one node of a cluster.
type keys struct {
	head, log, needy, repair, packing string
}

// New returns a list on a Redis, which may be one server, a master watched by
// Sentinels or a cluster. It returns at once; the copy is read in the background.
// See [List.Ready]. Lists with the same prefix on the same Redis are one list; zero
// length means "carnet:". The client stays the caller's to close, after the list.
//
// Create the client with ContextTimeoutEnabled and without a long ReadTimeout: a
// Redis that hangs is noticed without them too, but connections and goroutines
// that wait for it come back later.
//
// It panics if the prefix has braces or is longer than 64 bytes.
func New(client redis.UniversalClient, prefix string) *List {
	return Config{}.New(client, prefix)
}

// New is the function New with a configuration.
func (c Config) New(client redis.UniversalClient, prefix string) *List {
	if strings.ContainsAny(prefix, "{}") || len(prefix) > 64 {
		panic(fmt.Sprintf("redislist: the prefix %.80q has braces or more than 64 bytes", prefix))
	}
	if c.Replicas < 0 || c.Bound < 0 || c.Timeout < 0 || c.Max < 0 {
		panic("redislist: a field of Config is negative")
	}
	l := &List{
		set: markset.New(), client: client, keys: newKeys(prefix), config: c.filled(), node: rand.Text(),
		base: time.Now(), wake: make(chan struct{}, 1), ready: make(chan struct{}),
		revokes: newSlots(32), beats: newSlots(3), reads: newSlots(4), mends: newSlots(2),
	}
	l.fresh.Store(never)
	l.chain.init()
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.wg.Go(l.mend)
	l.wg.Go(l.tail)
	l.wg.Go(l.heart)
	l.wg.Go(l.sweep)
	l.wg.Go(l.watch)
	return l
}

func newKeys(prefix string) keys {
	if prefix == "" {
		prefix = "carnet:"
	}
	p := "{" + prefix + "}revoked:"
	return keys{p + "head", p + "log", p + "needy", p + "repair", p + "packing"}
}

func (c Config) filled() Config {
	if c.Bound == 0 {
		c.Bound = time.Minute
	}
	if c.Timeout == 0 {
		c.Timeout = time.Second
	}
	if c.Max == 0 {
		c.Max = 20_000_000
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

// Check returns nil if no mark in force covers c and the copy is at most
// [Config.Bound] old, a [*revocation.RevokedError] if a mark does cover it, however
// old the copy is, and otherwise a [*freshness.StaleError]. It asks nobody and
// looks at no ctx.
func (l *List) Check(_ context.Context, c token.Claims) error {
	age, err := l.Look(c)
	if err == nil && age > l.config.Bound {
		return &freshness.StaleError{Age: age, Bound: l.config.Bound}
	}
	return err
}

// Look returns what the copy has about c, and how old the copy is. See
// [freshness.Copy].
func (l *List) Look(c token.Claims) (age time.Duration, err error) {
	at := l.fresh.Load() // before the look: what comes in meanwhile makes the copy no older
	if e, ok := l.set.Check(&c); ok {
		return l.since(at), &revocation.RevokedError{Mark: l.mark(e, e.Axis.Of(&c))}
	}
	return l.since(at), nil
}

// Age returns how old the copy is: it has everything that was acknowledged longer
// ago. [freshness.Never] means that it has not been complete yet. A list that works
// is between two and three seconds old.
func (l *List) Age() time.Duration { return l.since(l.fresh.Load()) }

func (l *List) since(at int64) time.Duration {
	if at == never {
		return freshness.Never
	}
	return time.Since(l.base) - time.Duration(at)
}

// Ready waits until the copy is complete for the first time. It returns the error
// of ctx if that comes first, with what Redis had against it, if anything.
func (l *List) Ready(ctx context.Context) error {
	select {
	case <-l.ready:
		return nil
	case <-l.ctx.Done():
		return ErrClosed
	case <-ctx.Done():
		return l.unready(context.Cause(ctx))
	}
}

func (l *List) unready(cause error) error {
	if why := l.why.Load(); why != nil {
		cause = fmt.Errorf("%w: %w", cause, *why)
	}
	return fmt.Errorf("redislist: the copy is not complete: %w", cause)
}

// Close stops the list and waits for its calls to come back. The copy stays as it
// is and grows old. Marks that were not confirmed are lost with the process.
func (l *List) Close() error {
	l.closing.Lock()
	l.cancel()
	l.closing.Unlock()
	l.wg.Wait()
	return nil
}

// Len returns how many marks the copy has, those of one value counted once.
func (l *List) Len() int { return l.set.Len() }

// Format prints a placeholder, whatever the verb.
func (l *List) Format(f fmt.State, _ rune) { io.WriteString(f, "redislist.List(redacted)") }

// sweep frees the memory of marks that are over.
func (l *List) sweep() {
	for l.pause(time.Minute) {
		l.set.Sweep()
	}
}

// kick wakes the mender.
func (l *List) kick() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
