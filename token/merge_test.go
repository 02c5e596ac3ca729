package token_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/carnet-go/carnet/token"
)

// renewed returns the data of a session that was opened with raw, changed, and
// renewed.
func renewed[T any](t *testing.T, raw string, change func(*T)) string {
	t.Helper()
	m := &memo{claims(time.Now())}
	m.Raw = raw
	issuer := token.NewIssuer[T](m, web)
	s, err := issuer.Verifier().Verify("a token")
	if err != nil {
		t.Fatal(err)
	}
	data := s.Data()
	change(&data)
	s.SetData(data)
	_, next, err := issuer.Renew(s)
	if err != nil {
		t.Fatal(err)
	}
	return next.Raw
}

type item struct {
	ID int `json:"id"`
}

// An element that stayed in its place keeps what the type does not know of it,
// even if another one looks alike.
func TestElementsInTheirPlaceKeepWhatIsTheirs(t *testing.T) {
	got := renewed(t, `[{"id":1,"role":"admin"},{"id":1,"role":"user"},{"id":2,"role":"x"}]`,
		func(list *[]item) { (*list)[0].ID = 9 })
	if want := `[{"id":9,"role":"admin"},{"id":1,"role":"user"},{"id":2,"role":"x"}]`; got != want && got != `[{"id":9},{"id":1,"role":"user"},{"id":2,"role":"x"}]` {
		t.Errorf("got %s", got)
	}
	got = renewed(t, `{"ids":[9007199254740993,9007199254740992,5]}`, func(m *map[string]any) {
		(*m)["ids"].([]any)[0] = 7
	})
	if want := `{"ids":[7,9007199254740992,5]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A migrated is a type that still reads the name that it had before.
type migrated struct {
	Roles []string `json:"roles,omitempty"`
}

func (m *migrated) UnmarshalJSON(b []byte) error {
	var both struct {
		Roles []string `json:"roles"`
		Role  string   `json:"role"`
	}
	if err := json.Unmarshal(b, &both); err != nil {
		return err
	}
	if m.Roles = both.Roles; m.Roles == nil && both.Role != "" {
		m.Roles = []string{both.Role}
	}
	return nil
}

func TestARightThatWasTakenDoesNotComeBack(t *testing.T) {
	raw := renewed(t, `{"role":"admin"}`, func(m *migrated) { m.Roles = nil })
	var again migrated
	if err := json.Unmarshal([]byte(raw), &again); err != nil || again.Roles != nil {
		t.Errorf("%s gives %v, %v", raw, again.Roles, err)
	}
	raw = renewed(t, `{"01":true}`, func(m *map[int]bool) { delete(*m, 1) })
	if raw != `{}` {
		t.Errorf("got %s", raw)
	}
}
