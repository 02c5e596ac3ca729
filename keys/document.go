package keys

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/internal/strictjson"
	"github.com/carnet-go/carnet/keys/audit"
)

// The two kinds of document. Each reader refuses the other kind by name.
const (
	kindRing       = "carnet ring"
	kindVerifyOnly = "carnet verify-only ring"
	kindSealed     = "carnet sealed ring" // either, or both
)

// A document is what is in a file. The checksum finds accidents; it is no
// protection against whoever can write the file.
type document struct {
	Kind    string         `json:"kind"`
	Version int            `json:"version"`
	Sum     string         `json:"sha256"` // of the ring's text as it stands
	Ring    jsontext.Value `json:"ring"`
}

type ringDocument struct {
	Name       string        `json:"name"`
	Generation uint64        `json:"generation"`
	Spread     int64         `json:"spread_seconds,omitzero"`
	TokenLife  int64         `json:"token_life_seconds,omitzero"`
	Keys       []keyDocument `json:"keys"`
	Record     []audit.Entry `json:"record,omitzero"`
	Edits      history       `json:"edits,omitzero"` // in the place of the record where there is none

	sum string // of the text that this was read from
}

type keyDocument struct {
	ID          string    `json:"id"`
	Format      Format    `json:"format"`
	State       string    `json:"state"`
	Generation  uint64    `json:"generation,omitzero"` // that first had it
	CreatedAt   time.Time `json:"created_at"`
	ActivatedAt time.Time `json:"activated_at,omitzero"`
	RetiredAt   time.Time `json:"retired_at,omitzero"`
	RevokedAt   time.Time `json:"revoked_at,omitzero"`
	Public      []byte    `json:"public"`
	Seal        []byte    `json:"seal,omitzero"`   // 32 bytes
	Sign        []byte    `json:"sign,omitzero"`   // the 32-byte seed of RFC 8032 section 5.1.5
	Signer      string    `json:"signer,omitzero"` // name of the one outside that signs
}

// maxKeys bounds what a reader does with a ring. A ring that rotates each hour
// and keeps its keys for 31 days has 746.
const maxKeys = 1000

// marshal writes the whole ring, secrets included.
func (s *Set) marshal() ([]byte, error) {
	return s.document(kindRing, func(k key, d *keyDocument) {
		d.Seal, d.Signer = k.seal[:], k.Signer
		if k.sign != nil {
			d.Sign = k.sign.Seed()
		}
	})
}

// VerifyOnly returns the verify-only document of the set, for [OpenVerifyOnly].
// It holds no private key; it does hold the secrets that open every token.
func (s *Set) VerifyOnly() ([]byte, error) {
	return s.document(kindVerifyOnly, func(k key, d *keyDocument) {
		d.Seal = k.seal[:]
	})
}

func (s *Set) document(kind string, addSecrets func(key, *keyDocument)) ([]byte, error) {
	r := ringDocument{Name: s.name, Generation: s.generation}
	r.Edits = historyOf(s.record, s.generation)
	if kind == kindRing {
		r.Record, r.Edits = s.record, nil
		r.Spread, r.TokenLife = int64(s.policy.Spread/time.Second), int64(s.policy.TokenLife/time.Second)
	}
	for _, k := range s.keys {
		d := keyDocument{k.ID, k.Format, k.State, k.Generation, k.CreatedAt, k.ActivatedAt, k.RetiredAt, k.RevokedAt, k.Public, nil, nil, ""}
		if k.secrets != nil {
			addSecrets(k, &d)
		}
		r.Keys = append(r.Keys, d)
	}
	ring, err := json.Marshal(r, jsontext.WithIndentPrefix("  "), jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", kind, err)
	}
	return frame(kind, ring), nil
}

// frame puts the text of a ring into a document.
func frame(kind string, ring []byte) []byte {
	return fmt.Appendf(nil, "{\n  \"kind\": %q,\n  \"version\": 1,\n  \"sha256\": %q,\n  \"ring\": %s\n}\n", kind, checksum(ring), ring)
}

func checksum(ring []byte) string {
	sum := sha256.Sum256(ring)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// parse checks a document in the clear and returns the ring inside.
func parse(doc []byte, kind string) (r ringDocument, err error) {
	d, err := parseFrame(doc, kind)
	if err != nil {
		return r, err
	}
	if err := strictjson.Unmarshal(d.Ring, &r, json.RejectUnknownMembers(true)); err != nil {
		return r, fmt.Errorf("not a %s: its keys can't be read", kind)
	}
	r.sum = d.Sum
	return r, r.check(kind)
}

// parseFrame checks the document up to its checksum.
func parseFrame(doc []byte, kind string) (d document, err error) {
	if len(doc) == 0 {
		return d, errors.New("it is empty")
	}
	if err := strictjson.Unmarshal(doc, &d, json.RejectUnknownMembers(true)); err != nil {
		return d, fmt.Errorf("not a %s: it is not the JSON that one consists of", kind)
	}
	switch {
	case d.Kind == kindVerifyOnly && kind == kindRing:
		return d, errors.New("this is a verify-only ring, which can't mint: open it as one, or name the ring that it was exported from")
	case d.Kind == kindRing && kind == kindVerifyOnly:
		return d, errors.New("this is a ring that can mint: open it as one, or export a verify-only ring from it with \"carnet export\"")
	case d.Kind == kindSealed && kind != kindSealed:
		return d, errSealed
	case d.Kind != kind:
		return d, fmt.Errorf("not a %s: it says it is a %.40q", kind, d.Kind)
	case d.Version != 1:
		return d, fmt.Errorf("version %d of the %s format: this program knows version 1", d.Version, kind)
	case d.Sum != checksum(d.Ring):
		return d, errors.New("the checksum does not match: the document was damaged or edited by hand; restore it from a backup")
	}
	return d, nil
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

func (d *keyDocument) key() Key {
	return Key{d.ID, d.Format, d.State, d.Generation, d.CreatedAt, d.ActivatedAt, d.RetiredAt, d.RevokedAt, d.Public, d.Signer}
}

// set is the ring with all its secrets.
func (r *ringDocument) set() (*Set, error) {
	s := &Set{r.Name, r.Generation, Policy{seconds(r.Spread), seconds(r.TokenLife)}, nil, r.Record}
	for _, d := range r.Keys {
		k := key{Key: d.key()}
		if d.State != revoked {
			k.secrets = &secrets{seal: [32]byte(d.Seal)}
			if d.Signer == "" {
				k.sign = ed25519.NewKeyFromSeed(d.Sign)
			}
			if k.sign != nil && !k.Public.Equal(k.sign.Public()) {
				return nil, fmt.Errorf("key %.60q: its public and private halves do not belong together", d.ID)
			}
			if _, err := d.opener(); err != nil {
				return nil, err
			}
		}
		s.keys = append(s.keys, k)
	}
	return s, nil
}

// table is the ring without private keys.
func (r *ringDocument) table() (*table, error) {
	t := newTable(r.Name, r.Generation, r.Edits)
	for _, d := range r.Keys {
		if d.State == revoked {
			t.revoked[d.ID] = struct{}{}
			continue
		}
		o, err := d.opener()
		if err != nil {
			return nil, err
		}
		t.openers[o.Label()] = o
	}
	return t, nil
}

// opener also proves that the id is the fingerprint of what stands beside it.
func (d *keyDocument) opener() (opener, error) {
	o, err := newOpener(d.Format, d.Seal, d.Public)
	if err != nil {
		return nil, fmt.Errorf("key %.60q: %w", d.ID, err)
	}
	if o.ID() != d.ID {
		return nil, fmt.Errorf("key %.60q: the id is not the fingerprint of the key", d.ID)
	}
	return o, nil
}
