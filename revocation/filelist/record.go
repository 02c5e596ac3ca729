package filelist

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"time"

	"github.com/carnet-go/carnet/revocation"
)

const (
	magic = "carnet denylist 1\n"

	// A frame is a head and a body of operations. The head is the length of the
	// body, its checksum, and the checksum of these eight bytes: a length that is
	// not to be trusted would make damage look like a file that ends early.
	headSize = 12
	maxBody  = 1 << 18

	opDeny  = 1
	opAllow = 2
)

// maxOp is the size of the largest operation, in bytes.
const maxOp = 2 + 16 + 4*(1+255)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// axes have numbers in the file: one more than their place.
var axes = []revocation.Axis{"session", "subject", "audience", "key", "everyone"}

// frames are operations on their way to the file. The zero value has none.
type frames struct {
	data []byte
	head int // where the last frame begins
	open bool
	ops  int
}

func (f *frames) deny(m revocation.Mark) {
	f.begin(opDeny, m.Axis)
	f.data = binary.BigEndian.AppendUint64(f.data, uint64(micros(m.At)))
	// Rounded up: a mark may hold longer, not shorter.
	f.data = binary.BigEndian.AppendUint64(f.data, uint64(micros(m.Until.Add(time.Microsecond-1))))
	f.text(m.Value, m.Except, m.Reason, m.By)
}

func (f *frames) allow(m revocation.Mark) {
	if len(m.Value) > 255 {
		return // no mark has it
	}
	f.begin(opAllow, m.Axis)
	f.text(m.Value)
}

func (f *frames) begin(op byte, axis revocation.Axis) {
	if f.open && len(f.data)-f.head-headSize > maxBody-maxOp {
		f.end()
	}
	if !f.open {
		f.head, f.open = len(f.data), true
		f.data = append(f.data, make([]byte, headSize)...)
	}
	f.ops++
	f.data = append(f.data, op, byte(slices.Index(axes, axis)+1))
}

func (f *frames) text(values ...string) {
	for _, s := range values {
		f.data = append(f.data, byte(len(s))) // at most 255, by Mark.Normalize
		f.data = append(f.data, s...)
	}
}

func (f *frames) end() {
	head, body := f.data[f.head:f.head+headSize], f.data[f.head+headSize:]
	binary.BigEndian.PutUint32(head, uint32(len(body)))
	binary.BigEndian.PutUint32(head[4:], crc32.Checksum(body, castagnoli))
	binary.BigEndian.PutUint32(head[8:], crc32.Checksum(head[:8], castagnoli))
	f.open = false
}

// bytes returns the frames, of which the last one is then complete.
func (f *frames) bytes() []byte {
	if f.open {
		f.end()
	}
	return f.data
}

// Moments outside of these years don't fit. No clock shows them.
var (
	first = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	last  = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

func micros(t time.Time) int64 {
	switch {
	case t.Before(first):
		t = first
	case t.After(last):
		t = last
	}
	return t.UnixMicro()
}

// An op is an operation as read. The mark of an opAllow has axis and value only.
type op struct {
	kind byte
	mark revocation.Mark
}

var errOp = errors.New("this is no operation")

// readOps reads the operations in a body, each to its last byte.
func readOps(body []byte, each func(op) error) error {
	for len(body) > 0 {
		o, rest, err := readOp(body)
		if err == nil {
			err = each(o)
		}
		if err != nil {
			return err
		}
		body = rest
	}
	return nil
}

func readOp(b []byte) (o op, rest []byte, err error) {
	if len(b) < 2 || b[1] == 0 || int(b[1]) > len(axes) {
		return o, nil, errOp
	}
	o.kind, o.mark.Axis = b[0], axes[b[1]-1]
	b = b[2:]
	m := &o.mark
	switch o.kind {
	case opAllow:
		rest, err = readText(b, &m.Value)
	case opDeny:
		if len(b) < 16 {
			return o, nil, errOp
		}
		m.At = time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC()
		m.Until = time.UnixMicro(int64(binary.BigEndian.Uint64(b[8:]))).UTC()
		rest, err = readText(b[16:], &m.Value, &m.Except, &m.Reason, &m.By)
	default:
		err = errOp
	}
	return o, rest, err
}

func readText(b []byte, values ...*string) (rest []byte, err error) {
	for _, v := range values {
		if len(b) < 1 || len(b) < 1+int(b[0]) {
			return nil, errOp
		}
		n := 1 + int(b[0])
		*v, b = string(b[1:n]), b[n:]
	}
	return b, nil
}
