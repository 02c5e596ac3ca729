package keys

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
)

// check refuses what no edit of a set can have written.
func (r *ringDocument) check(kind string) error {
	if err := checkName(r.Name, r.Generation); err != nil {
		return err
	}
	if len(r.Keys) > maxKeys {
		return fmt.Errorf("it has %d keys, and a ring has at most %d: prune it", len(r.Keys), maxKeys)
	}
	if err := checkSeconds(r.Spread, r.TokenLife); err != nil {
		return err
	}
	if err := errors.Join(checkRecord(r.Record), r.Edits.check(r.Generation)); err != nil {
		return err
	}
	if kind == kindRing && r.Edits != nil || kind == kindVerifyOnly && r.Record != nil {
		return errors.New("it has the edits of a document of another kind")
	}
	count, ids := map[string]int{}, map[string]bool{}
	for _, k := range r.Keys {
		if err := k.check(kind); err != nil {
			return fmt.Errorf("key %.60q: %w", k.ID, err)
		}
		if ids[k.ID] {
			return fmt.Errorf("key %.60q is there twice", k.ID)
		}
		if k.Generation > r.Generation {
			return fmt.Errorf("key %.60q is from a generation that has not been", k.ID)
		}
		ids[k.ID] = true
		count[k.State]++
	}
	if count[active] != 1 || count[prePublished] != 1 {
		return fmt.Errorf("it has %d active and %d pre-published keys instead of one each", count[active], count[prePublished])
	}
	return nil
}

// checkName keeps out names that would have to be quoted where they are
// authenticated.
func checkName(name string, generation uint64) error {
	strange := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	}
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, strange) || generation == 0 {
		return errors.New("its name or generation is out of range")
	}
	return nil
}

func checkSeconds(ns ...int64) error {
	for _, n := range ns {
		if n < 0 || n > maxPolicy {
			return errors.New("its spread or token life is out of range")
		}
	}
	return nil
}

func (d *keyDocument) check(kind string) error {
	wantSeal, wantSign := 32, ed25519.SeedSize
	if kind == kindVerifyOnly || d.Signer != "" {
		wantSign = 0
	}
	if len(d.Signer) > maxSignerName || d.Signer != "" && kind == kindVerifyOnly {
		return errors.New("the name of its signer is too long, or has no place here")
	}
	if d.Format != JWT && d.Format != PASETO {
		return unknownFormat(d.Format)
	}
	switch d.State {
	case prePublished, active, retired:
	case revoked:
		wantSeal, wantSign = 0, 0
	default:
		return fmt.Errorf("unknown state %.20q", d.State)
	}
	if len(d.Seal) != wantSeal || len(d.Sign) != wantSign || len(d.Public) != ed25519.PublicKeySize {
		return fmt.Errorf("its public key or secrets have the wrong length for a key that is %s", d.State)
	}
	if weak(d.Seal) || weak(d.Sign) {
		return errWeak
	}
	wasRetired := !d.RetiredAt.IsZero() // a revoked key may have been anything before
	if d.CreatedAt.IsZero() || d.State != revoked && wasRetired != (d.State == retired) || d.RevokedAt.IsZero() == (d.State == revoked) {
		return fmt.Errorf("its times do not fit a key that is %s", d.State)
	}
	return nil
}
