package paseto_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/internal/paseto"
	"github.com/carnet-go/carnet/token"
)

func TestMalformedTokens(t *testing.T) {
	h := newHolder(t)
	tok := seal(t, h, claims())
	body := strings.TrimSuffix(strings.TrimPrefix(tok, "v4.local."), "."+h.Label())
	for name, tt := range map[string]struct {
		tok  string
		want error
	}{
		"nothing":             {"", token.ErrMalformed},
		"no footer":           {"v4.local." + body, token.ErrMalformed},
		"an empty footer":     {"v4.local." + body + ".", token.ErrMalformed},
		"a footer of others":  {"v4.local." + body + ".e30", token.ErrMalformed},
		"five parts":          {"v4.local." + body + ".." + h.Label(), token.ErrMalformed},
		"a part too many":     {"v4.local." + body + ".AAAA." + h.Label(), token.ErrMalformed},
		"a label after all":   {tok + "." + h.Label(), token.ErrMalformed},
		"no body":             {"v4.local.." + h.Label(), token.ErrMalformed},
		"a short body":        {"v4.local." + strings.Repeat("A", 85) + "." + h.Label(), token.ErrMalformed},
		"the shortest body":   {"v4.local." + strings.Repeat("A", 86) + "." + h.Label(), token.ErrInvalid},
		"an impossible body":  {"v4.local." + strings.Repeat("A", 89) + "." + h.Label(), token.ErrMalformed},
		"loose bits":          {"v4.local." + strings.Repeat("A", 85) + "B." + h.Label(), token.ErrMalformed},
		"padding":             {"v4.local." + strings.Repeat("A", 86) + "==." + h.Label(), token.ErrMalformed},
		"a line feed":         {"v4.local." + body + "\n." + h.Label(), token.ErrMalformed},
		"a line feed within":  {"v4.local.\n" + body + "." + h.Label(), token.ErrMalformed},
		"the other base64":    {"v4.local." + strings.Repeat("+", 86) + "." + h.Label(), token.ErrMalformed},
		"version 3":           {"v3" + tok[2:], token.ErrMalformed},
		"version 2":           {"v2" + tok[2:], token.ErrMalformed},
		"public":              {"v4.public." + body + "." + h.Label(), token.ErrMalformed},
		"the inner token":     {h.signed(payload, session), token.ErrMalformed},
		"in capitals":         {"V4.LOCAL." + body + "." + h.Label(), token.ErrMalformed},
		"as large as allowed": {fill(h, token.MaxSize), token.ErrInvalid},
		"a byte more":         {fill(h, token.MaxSize+1), token.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := h.Open(tt.tok, session); err != tt.want || c.ID != "" {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// fill returns a forgery of n bytes in good form.
func fill(h holder, n int) string {
	body := n - len("v4.local.") - 1 - len(h.Label())
	return "v4.local." + strings.Repeat("A", body) + "." + h.Label()
}

// One character, at any position, changed to any other of the alphabet or to a
// few that are not in it.
func TestEveryCharacterCounts(t *testing.T) {
	h := newHolder(t)
	tok := seal(t, h, claims())
	const others = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\r\x00\xff"
	refuse := func(altered string, i int) {
		if c, err := h.Open(altered, session); !errors.Is(err, token.ErrInvalid) || c.ID != "" {
			t.Fatalf("altered at %d: got %v", i, err)
		}
	}
	for i := range tok {
		for _, other := range []byte(others) {
			if tok[i] != other {
				refuse(tok[:i]+string([]byte{other})+tok[i+1:], i)
			}
		}
		refuse(tok[:i], i)
		refuse(tok[i+1:], i)
		refuse(tok[:i]+tok[i+1:], i)
		refuse(tok[:i]+"\n"+tok[i:], i)
		refuse(tok[:i]+tok[i:i+1]+tok[i:], i)
	}
}

func TestLabel(t *testing.T) {
	h := newHolder(t)
	tok := seal(t, h, claims())
	l, ok := paseto.Label(tok)
	if !ok || l != h.Label() || !strings.HasSuffix(tok, "."+l) {
		t.Errorf("the label is %q", l)
	}
	if id, ok := paseto.LabelID(l); !ok || id != h.ID() {
		t.Errorf("its id is %q", id)
	}
	for _, tok := range []string{"", "v4.local.", l, "." + l, "v4.local." + l, "v4.local.." + l, "v3" + tok[2:],
		tok[:len(tok)-1], tok + "A", tok + ".", tok[:len(tok)-len(l)-1] + "A" + l, tok[:len(tok)-len(l)] + strings.Repeat("A", len(l)),
		"v4.local." + strings.Repeat("A", 1<<20), strings.Repeat(".", 1<<20)} {
		if l, ok := paseto.Label(tok); ok || l != "" {
			t.Errorf("%.40q has the label %q", tok, l)
		}
	}
	for i := range l {
		for _, c := range "A.\n\r=+\x00" {
			altered := l[:i] + string(c) + l[i+1:]
			if id, ok := paseto.LabelID(altered); ok && (len(id) != len(h.ID()) || strings.ContainsAny(id[7:], "\"\\.{}+/ \n\r\x00")) {
				t.Errorf("%q has the id %q", altered, id)
			}
		}
	}
	for _, footer := range []string{
		`{"kid":"k4.pid.` + h.ID()[7:] + `"}`,
		`{"kid":"k4.lid.` + h.ID()[7:50] + `""}`,
		`{"kid":"k4.lid.` + h.ID()[7:50] + "\n" + `"}`,
		`{"kid":"k4.lid.` + h.ID()[7:50] + "=" + `"}`,
		`{"kid":"k4.lid.` + h.ID()[7:] + `" `,
		`{"kid":"k4.lid.` + h.ID()[7:47] + `"}`,
		`{"kid":"k4.lid.` + h.ID()[7:] + `AAAA"}`,
		`{"KID":"k4.lid.` + h.ID()[7:] + `"}`,
		`{"kid":"k4.lid.` + h.ID()[7:] + "\"}\n",
		``,
	} {
		if id, ok := paseto.LabelID(b64.EncodeToString([]byte(footer))); ok || id != "" {
			t.Errorf("%q has the id %q", footer, id)
		}
	}
}

// Whatever is too long costs nothing to refuse, and a forgery in good form no
// more than a few pieces of memory.
func TestGarbageAllocatesNothingInProportion(t *testing.T) {
	h := newHolder(t)
	const mib = 1 << 20
	for name, tt := range map[string]struct {
		tok  string
		most float64
	}{
		"dots":                     {strings.Repeat(".", mib), 0},
		"a long body":              {fill(h, mib), 0},
		"a long body of dots":      {"v4.local." + strings.Repeat(".", mib) + h.Label(), 0},
		"within the size, no form": {strings.Repeat("A", token.MaxSize), 0},
		"dots within the size":     {"v4.local." + strings.Repeat(".", 7000) + h.Label(), 16},
		"a forgery":                {fill(h, token.MaxSize), 16}, // with room for a pool that the race detector empties
	} {
		t.Run(name, func(t *testing.T) {
			n := testing.AllocsPerRun(50, func() {
				paseto.Label(tt.tok)
				h.Open(tt.tok, session)
			})
			if n > tt.most {
				t.Errorf("%v allocations", n)
			}
		})
	}
}
