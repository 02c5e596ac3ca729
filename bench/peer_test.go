package main

import (
	"reflect"
	"testing"
)

// What is compared must be the same work: each peer gives back the session that
// went in, and refuses what was altered.
func TestPeersReturnTheSameSession(t *testing.T) {
	for _, w := range works() {
		for _, p := range peers() {
			tok, err := p.issue(w.data)
			if err != nil {
				t.Fatalf("%s %s: %v", p.name, w.name, err)
			}
			got, err := p.verify(tok)
			if err != nil || !reflect.DeepEqual(got, w.data) {
				t.Errorf("%s %s: %v, %+v", p.name, w.name, err, got)
			}
			t.Logf("%s %s: %d bytes, %d of data", p.name, w.name, len(tok), w.size())
		}
	}
}

func TestPeersRefuseForgeries(t *testing.T) {
	for _, p := range peers() {
		tok, err := p.issue(works()[0].data)
		if err != nil {
			t.Fatal(err)
		}
		other, _ := peers()[0].issue(works()[0].data)
		for name, bad := range map[string]string{
			"forged": forge(tok), "garbage": garbage(len(tok)), "oversize": garbage(9000), "empty": "", "another's": other,
		} {
			if bad == tok {
				t.Fatalf("%s %s: not altered", p.name, name)
			}
			if data, err := p.verify(bad); err == nil && bad != tok {
				t.Errorf("%s takes %s: %+v", p.name, name, data)
			}
		}
	}
}
