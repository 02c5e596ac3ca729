package keystest

import (
	"bytes"
	"context"
	"io/fs"
	"sync"

	"github.com/carnet-go/carnet/keys/keystore"
)

// NewStore returns an empty store in memory, which works in a
// [testing/synctest] bubble.
func NewStore() keystore.Store { return &memory{turn: make(chan struct{})} }

type memory struct {
	mu   sync.Mutex
	doc  []byte
	turn chan struct{} // closed at the next change
}

func (m *memory) String() string { return "memory" }

func (m *memory) Load(context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.doc == nil {
		return nil, fs.ErrNotExist
	}
	return bytes.Clone(m.doc), nil
}

func (m *memory) Save(_ context.Context, old, next []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if (old == nil) != (m.doc == nil) || !bytes.Equal(old, m.doc) {
		return keystore.ErrConflict
	}
	m.doc = bytes.Clone(next)
	close(m.turn)
	m.turn = make(chan struct{})
	return nil
}

func (m *memory) Watch(ctx context.Context, changed func()) error {
	for {
		m.mu.Lock()
		turn := m.turn
		m.mu.Unlock()
		changed()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-turn:
		}
	}
}
