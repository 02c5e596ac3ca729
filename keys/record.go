package keys

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/carnet-go/carnet/keys/audit"
)

// maxRecord is how many changes a ring remembers: more than a month of one an
// hour.
const maxRecord = audit.Max

// Record returns who did what to the ring, oldest first. See [audit.Check].
func (s *Set) Record() []audit.Entry { return slices.Clone(s.record) }

// note adds the change that made this generation.
func (s *Set) note(action string, now time.Time, keys ...string) {
	e := audit.Entry{Generation: s.generation, At: now, By: whoami(), Action: action, Keys: keys}
	if n := len(s.record); n > 0 {
		e.Before = s.record[n-1].Digest()
	}
	s.record = append(s.record, e)
	s.record = s.record[max(0, len(s.record)-maxRecord):]
}

// whoami is the user and the host of this process, as far as the system says.
func whoami() string {
	name := fmt.Sprint("uid ", os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	by := strings.ToValidUTF8(name+"@"+host, "?")
	by = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, by)
	for len(by) > maxBy {
		_, size := utf8.DecodeLastRuneInString(by)
		by = by[:len(by)-size]
	}
	return by
}

const maxBy = 200

// checkRecord bounds a record. Whether it is whole is for [audit.Check]: a ring
// with a broken one is no reason to refuse anybody's session.
func checkRecord(record []audit.Entry) error {
	if len(record) > maxRecord {
		return errors.New("its record is too long")
	}
	for _, e := range record {
		if len(e.By) > maxBy || len(e.Action) > 32 || len(e.Keys) > maxKeys || len(e.Before) > 64 {
			return fmt.Errorf("the entry of generation %d in its record is too long", e.Generation)
		}
	}
	return nil
}
