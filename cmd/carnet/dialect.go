package main

import (
	"fmt"
	"io"

	"github.com/go-json-experiment/json"

	"github.com/carnet-go/carnet/keys"
)

// A dialect is a form in which other languages know the keys of one format.
type dialect struct {
	name   string
	format keys.Format // the only one that it can say
	other  string      // what the keys of the other format are called
	member string      // of each key in it
	write  func(*keys.Set) ([]byte, error)
}

var (
	jwks   = &dialect{"JWK set", keys.JWT, "PASETO", "kty", (*keys.Set).JWKS}
	paserk = &dialect{"PASERK list", keys.PASETO, "JWT", "local", (*keys.Set).PASERK}
)

// document makes the document of a ring and says on log what is not in it.
func (d *dialect) document(log io.Writer, s *keys.Set, p place) ([]byte, error) {
	doc, err := d.write(s)
	if err != nil {
		return nil, advise(err, "hand out the verify-only ring, or move the ring with: carnet rotate --format %s %s", d.format, p.shell())
	}
	for _, k := range s.Keys() {
		if k.Format != d.format && k.RevokedAt.IsZero() {
			fmt.Fprintf(log, "note: left out %s key %s: a %s key has no place in a %s\n", k.State, k.ID, d.other, d.name)
		}
	}
	return doc, nil
}

// mayReplace refuses to write over what is no such document, or one with a key
// that this ring does not have: it is newer, or of another ring.
func (d *dialect) mayReplace(old []byte, s *keys.Set) error {
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if json.Unmarshal(old, &set) != nil || len(set.Keys) == 0 {
		return notAn(d.name)
	}
	for _, k := range set.Keys {
		if k[d.member] == nil {
			return notAn(d.name)
		}
	}
	newest, _ := set.Keys[len(set.Keys)-1]["kid"].(string)
	if _, ok := index(s)[newest]; !ok {
		return advise(fmt.Errorf("it has the key %.40q, which this ring has not", newest), "use the newest ring, choose another name, or remove the file first")
	}
	return nil
}
