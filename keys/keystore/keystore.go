// Package keystore says what a place must do to keep a key ring, and keeps one in
// a [File].
//
// A store moves documents and knows nothing of what is in them. It is trusted to
// deliver, not to be honest: a ring checks what it loads and goes on with the keys
// it has if that is no good.
package keystore

import (
	"context"
	"errors"
	"time"
)

// ErrConflict refuses to save a document in the place of one that is not there any
// more: somebody else was faster.
var ErrConflict = errors.New("the ring was changed by somebody else in the meantime")

// MaxSize is the size in bytes of the largest document. A ring that rotates each
// hour and keeps its keys for a month stays far below it.
const MaxSize = 4 << 20

// A Store keeps the document of one ring. It is safe for concurrent use, by
// several processes too.
type Store interface {
	// Load returns the document. Without one it returns an error that wraps
	// [io/fs.ErrNotExist].
	Load(ctx context.Context) ([]byte, error)

	// Save puts next in the place of old, in one step that a crash can't split:
	// a reader sees one or the other, whole. A nil old means that there must be
	// none yet. If what is there is not old, Save changes nothing and returns
	// [ErrConflict]. After any other error, either may be there.
	Save(ctx context.Context, old, next []byte) error

	// Watch calls changed as soon as it watches and then whenever the document may
	// have changed, even if it did not, until ctx is done. It may return earlier if
	// it can't watch, and the error says why.
	Watch(ctx context.Context, changed func()) error

	// String names the place for a person, without secrets.
	String() string
}

// Shared is a Store that all nodes talk to, so that they can learn of each other.
type Shared interface {
	Store

	// Report tells that this node has loaded a ring, and how many tokens it has
	// sealed since the last call with the key that is active in it. The store
	// repeats it while Watch runs.
	Report(ctx context.Context, r Report) error

	// Nodes returns what the nodes reported last, also those that fell silent a
	// short while ago.
	Nodes(ctx context.Context) ([]Node, error)

	// Sealed returns how many tokens all nodes together report to have sealed
	// with a key.
	Sealed(ctx context.Context, kid string) (uint64, error)

	// Now returns the time by the clock of the store, which tells a node that its
	// own is wrong.
	Now(ctx context.Context) (time.Time, error)
}

// A Report is what a node says about itself.
type Report struct {
	Generation uint64 // of the ring that it has loaded
	VerifyOnly bool   // it can't mint
	Key        string // id of the key that it mints with; empty if VerifyOnly
	Sealed     uint64 // tokens sealed with Key since the last report
}

// A Node is one that follows a Shared store.
type Node struct {
	Name       string        // host, process and a random part
	Generation uint64        // of the ring that it has loaded
	VerifyOnly bool          // it can't mint
	Silent     time.Duration // since its last report, by the clock of the store
	Skew       time.Duration // how far its clock is ahead of the store's
}
