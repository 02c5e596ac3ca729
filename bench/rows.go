package main

import "crypto/ed25519"

// Groups of rows that are measured by turns with one another.
const (
	issueGroup    = "issue"
	verifyGroup   = "verify"
	forgedGroup   = "forged"
	garbageGroup  = "garbage"
	oversizeGroup = "oversize"

	bareSign   = "bare ed25519.Sign"
	bareVerify = "bare ed25519.Verify"
	noJSON     = ", without JSON"
)

// tokenRows returns what can be done with a token of one size, by every peer.
func tokenRows(w work) (rows []*row) {
	add := func(group, name string, op func()) {
		rows = append(rows, &row{group: group + " " + w.name, name: name, op: op})
	}
	for _, p := range peers() {
		tok := must(p.issue(w.data))
		add(issueGroup, p.name, func() { must(p.issue(w.data)) })
		if p.forget != nil {
			rows[len(rows)-1].after = func() { p.forget(tok) }
		}
		add(verifyGroup, p.name, func() { must(p.verify(tok)) })
		for group, bad := range map[string]string{
			forgedGroup: forge(tok), garbageGroup: garbage(len(tok)), oversizeGroup: garbage(9000),
		} {
			if p.name != scsName { // which looks a token up, and has none to forge
				add(group, p.name, func() { refused(p.verify(bad)) })
			}
		}
	}
	carnetRows(w, add)
	for _, f := range floors() {
		tok := f.tok(w.data)
		add(verifyGroup, f.name, func() { f.verify(tok) })
		add(verifyGroup, f.name+noJSON, func() { f.crypto(tok) })
	}
	k, msg := newKey(), make([]byte, 700)
	sig := ed25519.Sign(k.priv, msg)
	add(verifyGroup, bareVerify, func() {
		if !ed25519.Verify(k.pub, msg, sig) {
			panic(errRefused)
		}
	})
	add(issueGroup, bareSign, func() { ed25519.Sign(k.priv, msg) })
	return rows
}

func refused(_ user, err error) {
	if err == nil {
		panic("a forgery passed")
	}
}
