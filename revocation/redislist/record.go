package redislist

import (
	"crypto/fips140"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/markset"
)

const (
	perRecord = 235 // entries in a record: of sessions, what fits into 4096 bytes, a node of a stream
	perCall   = 10  // records in a call of a script, which holds up the server

	kindNote = 0xf0 // what an operator said about the entry before
	undone   = 0x80 // a bit in the kind of an entry that is taken back
)

// A tip stands for all records up to one.
type tip [8]byte

func (t tip) after(body string) tip {
	return tipOf(append(append(make([]byte, 0, len(t)+len(body)), t[:]...), body...))
}

func firstTip(epoch string) tip { return tipOf([]byte(epoch)) }

// tipOf uses SHA-1 because that is the hash which scripts have. It names
// histories and keeps nobody out, so FIPS 140 does not forbid it.
func tipOf(text []byte) (t tip) {
	fips140.WithoutEnforcement(func() {
		sum := sha1.Sum(text)
		copy(t[:], sum[:])
	})
	return t
}

// An item is an entry in a record.
type item struct {
	markset.Entry
	undo bool
	note *note
}

func (i item) append(b []byte) []byte {
	at := len(b)
	b = i.Entry.Append(b)
	if i.undo {
		b[at] |= undone
	}
	if i.note != nil {
		b = i.note.append(b)
	}
	return b
}

var errRecord = errors.New("a record of the log can't be read, as if a newer version had written it")

// items calls f with each item of a record's body.
func items(body string, f func(item)) (n int, err error) {
	for b := []byte(body); len(b) > 0; n++ {
		var i item
		if i.undo = b[0] != kindNote && b[0]&undone != 0; i.undo {
			b[0] &^= undone
		}
		if i.Entry, b, err = markset.Parse(b); err != nil {
			return n, fmt.Errorf("%w: %w", errRecord, err)
		}
		if len(b) > 0 && b[0] == kindNote {
			if i.note, b, err = parseNote(b); err != nil {
				return n, err
			}
		}
		f(i)
	}
	return n, nil
}

// bodies packs items into records.
func bodies(all []item) (records []any) {
	for len(all) > 0 {
		n := min(len(all), perRecord)
		var b []byte
		for _, i := range all[:n] {
			b = i.append(b)
		}
		records, all = append(records, b), all[n:]
	}
	return records
}

// A record is what a message of the stream says.
type record struct {
	id    string
	tip   tip
	body  string
	epoch string // of a record that begins one
}

func read(m redis.XMessage) (r record, err error) {
	r.id = m.ID
	if g, ok := m.Values["g"].(string); ok {
		r.epoch, r.tip = g, firstTip(g)
		return r, nil
	}
	e, ok := m.Values["e"].(string)
	if !ok || len(e) < len(r.tip) {
		return record{}, errRecord
	}
	r.body = e[:len(e)-len(r.tip)]
	copy(r.tip[:], e[len(r.body):])
	return r, nil
}

// A note is what an operator said about a mark, with the values that the entry
// does not have.
type note struct {
	value, except, reason, by string
}

func (n *note) append(b []byte) []byte {
	size := 0
	for _, s := range n.texts() {
		size += 1 + len(*s)
	}
	b = append(b, kindNote)
	b = binary.BigEndian.AppendUint16(b, uint16(size))
	for _, s := range n.texts() {
		b = append(append(b, byte(len(*s))), *s...)
	}
	return b
}

func (n *note) texts() [4]*string { return [...]*string{&n.value, &n.except, &n.reason, &n.by} }

// parseNote reads the note at the start of b.
func parseNote(b []byte) (*note, []byte, error) {
	if len(b) < 3 {
		return nil, nil, errRecord
	}
	size := int(binary.BigEndian.Uint16(b[1:]))
	if b = b[3:]; len(b) < size {
		return nil, nil, errRecord
	}
	n, text := &note{}, b[:size]
	for _, s := range n.texts() {
		if len(text) == 0 || len(text) < 1+int(text[0]) {
			return nil, nil, errRecord
		}
		*s, text = string(text[1:1+text[0]]), text[1+text[0]:]
	}
	if len(text) > 0 {
		return nil, nil, errRecord
	}
	return n, b[size:], nil
}
