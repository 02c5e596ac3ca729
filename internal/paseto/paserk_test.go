package paseto

import (
	"bytes"
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"
)

var serialisations = []serialisation{paserkLocal, paserkPublic, paserkSecret}

func named(t *testing.T, name string) serialisation {
	t.Helper()
	i := slices.IndexFunc(serialisations, func(s serialisation) bool { return s.header == name || s.idHeader == name })
	if i < 0 {
		t.Fatalf("no serialisation is called %s", name)
	}
	return serialisations[i]
}

func TestPASERKVectors(t *testing.T) {
	for _, name := range []string{"local", "public", "secret"} {
		s := named(t, "k4."+name+".")
		for _, v := range vectors(t, "PASERK/k4."+name+".json") {
			if v.ExpectFail {
				if key, err := s.decode(v.PASERK); err == nil {
					t.Errorf("%s: decodes to %d bytes", v.Name, len(key))
				}
				if text, err := s.encode(v.Key); err == nil {
					t.Errorf("%s: encodes to %d bytes", v.Name, len(text))
				}
				continue
			}
			if text, err := s.encode(v.Key); err != nil || text != v.PASERK {
				t.Errorf("%s: encodes to %q, %v", v.Name, text, err)
			}
			if key, err := s.decode(v.PASERK); err != nil || !bytes.Equal(key, v.Key) {
				t.Errorf("%s: decodes to %x, %v", v.Name, key, err)
			}
		}
	}
}

func TestPASERKIDVectors(t *testing.T) {
	for _, name := range []string{"lid", "pid", "sid"} {
		s := named(t, "k4."+name+".")
		for _, v := range vectors(t, "PASERK/k4."+name+".json") {
			id, err := s.id(v.Key)
			if v.ExpectFail && err == nil || id != v.PASERK {
				t.Errorf("%s: id is %q, %v", v.Name, id, err)
			}
		}
	}
}

// A key of one kind can't be read as one of another, whatever its length.
func TestPASERKRefusesOtherKinds(t *testing.T) {
	for _, kind := range []string{"local", "public", "secret", "lid", "pid", "sid"} {
		for _, version := range []string{"k3.", "k4."} {
			for _, v := range vectors(t, "PASERK/"+version+kind+".json") {
				for _, s := range serialisations {
					if strings.HasPrefix(v.PASERK, s.header) {
						continue
					}
					if _, err := s.decode(v.PASERK); err == nil {
						t.Errorf("%s is taken for %s", v.Name, s.header)
					}
				}
			}
		}
	}
}

func TestPASERKHasOneText(t *testing.T) {
	text, err := paserkLocal.encode(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	last := len(text) - 1
	for _, bad := range []string{"", "k4.local.", text[len("k4.local."):], text[:last], text + "A", text + "=", text + "\n", text[:last] + "\n",
		text[:last] + "B", text[:last] + "+", "K4" + text[2:], " " + text, text[:last] + "\x00", text + ".",
		text[:20] + "\r\n" + text[22:]} {
		if _, err := paserkLocal.decode(bad); err == nil {
			t.Errorf("took %q", bad)
		}
	}
}

// A signer that mixes the halves of two pairs gives the private one away.
func TestPASERKRefusesMixedPairs(t *testing.T) {
	a, b := ed25519.NewKeyFromSeed(make([]byte, 32)), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	mixed := append(bytes.Clone(a[:32]), b[32:]...)
	if _, err := paserkSecret.encode(mixed); err == nil {
		t.Error("encodes")
	}
	if _, err := paserkSecret.decode(paserkSecret.header + b64.EncodeToString(mixed)); err == nil {
		t.Error("decodes")
	}
}

func TestPASERKErrorsTellNothing(t *testing.T) {
	key := bytes.Repeat([]byte{0x6b}, 31)
	_, err := paserkLocal.encode(key)
	_, err2 := paserkLocal.decode("k4.local." + b64.EncodeToString(key))
	for _, err := range []error{err, err2} {
		if err == nil || strings.Contains(err.Error(), "a2tra2tr") || strings.Contains(err.Error(), "kkkk") || strings.Contains(err.Error(), "6b6b") {
			t.Errorf("the error says %v", err)
		}
	}
}

func FuzzPASERK(f *testing.F) {
	f.Add("k4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range serialisations {
			key, err := s.decode(text)
			if err != nil {
				if key != nil {
					t.Errorf("a key and an error for %q", text)
				}
				continue
			}
			if again, err := s.encode(key); err != nil || again != text {
				t.Errorf("%q was read as %q, %v", text, again, err)
			}
		}
	})
}
