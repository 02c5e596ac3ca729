package keys

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/internal/strictjson"
	"github.com/carnet-go/carnet/keys/kek"
)

// What keeps a document and a key apart.
var (
	errSealed = errors.New("it is sealed: set CARNET_RING_KEY, CARNET_RING_KEY_FILE or CARNET_RING_PASSPHRASE to what it was sealed with")
	errPlain  = errors.New("it is in the clear, but there is a key to open it with: whoever can write it could have put keys of his own there; rewrap it, or unset the key")
)

// A sealedDocument is a ring at rest. Name and generation are readable, and can't
// be altered.
type sealedDocument struct {
	Name         string `json:"name"`
	Generation   uint64 `json:"generation"`
	kek.Envelope        // its members stand beside the two
}

// seal writes the ring under a key. What it was sealed in before may be nil.
func (s *Set) seal(k *kek.Key, before *kek.Envelope) ([]byte, error) {
	ring, err := s.marshal()
	if err != nil {
		return nil, err
	}
	verifyOnly, err := s.VerifyOnly()
	if err != nil {
		return nil, err
	}
	d := sealedDocument{Name: s.name, Generation: s.generation}
	e, err := k.Seal(ring, verifyOnly, d.context(), before)
	if err != nil {
		return nil, fmt.Errorf("seal ring: %w", err)
	}
	d.Envelope = *e
	return d.marshal()
}

func (d *sealedDocument) context() string { return fmt.Sprintf("%q %d", d.Name, d.Generation) }

func (d *sealedDocument) marshal() ([]byte, error) {
	text, err := json.Marshal(d, jsontext.WithIndentPrefix("  "), jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", kindSealed, err)
	}
	return frame(kindSealed, text), nil
}

func parseSealed(doc []byte) (d sealedDocument, err error) {
	f, err := parseFrame(doc, kindSealed)
	if err != nil {
		return d, err
	}
	if err := strictjson.Unmarshal(f.Ring, &d, json.RejectUnknownMembers(true)); err != nil {
		return d, fmt.Errorf("not a %s: its parts can't be read", kindSealed)
	}
	return d, checkName(d.Name, d.Generation)
}

// A text is a document in the clear, and what it was sealed in.
type text struct {
	doc    []byte
	sealed *sealedDocument // nil if it was in the clear
}

// unseal returns the ring or the verify-only ring in a document. A key demands
// that it is sealed.
func unseal(doc []byte, k *kek.Key, kind string) (t text, r ringDocument, err error) {
	d, err := parseSealed(doc)
	switch {
	case err == nil && k == nil:
		return t, r, errSealed
	case err == nil:
		t.sealed = &d
		if t.doc, err = d.open(k, kind); err != nil {
			return t, r, err
		}
	case isSealed(doc):
		return t, r, err
	default:
		t.doc = doc
	}
	if r, err = parse(t.doc, kind); err != nil {
		return t, r, err
	}
	if t.sealed == nil && k != nil {
		return t, r, errPlain
	}
	if t.sealed != nil && (r.Name != d.Name || r.Generation != d.Generation) {
		return t, r, errors.New("what is sealed in it belongs to another ring or generation")
	}
	return t, r, nil
}

func isSealed(doc []byte) bool {
	var d document
	return strictjson.Unmarshal(doc, &d) == nil && d.Kind == kindSealed
}

func (d *sealedDocument) open(k *kek.Key, kind string) ([]byte, error) {
	if kind == kindRing {
		return k.Open(&d.Envelope, d.context())
	}
	return k.OpenVerifyOnly(&d.Envelope, d.context())
}
