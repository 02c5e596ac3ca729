package jose

import (
	"crypto/rand"
	"encoding/base64"
	"testing"
)

// For every length, with whatever is before and behind.
func TestBase64IsTheStandardOne(t *testing.T) {
	for n := range 300 {
		src := make([]byte, n)
		rand.Read(src)
		for _, room := range []int{0, 2, n, 2*n + 10} {
			dst := append(make([]byte, 0, 2+room), "x."...)
			got := appendBase64(dst, src)
			if want := "x." + base64.RawURLEncoding.EncodeToString(src); string(got) != want {
				t.Fatalf("%d bytes: %s, want %s", n, got, want)
			}
		}
	}
}

func TestBase64HasAllLetters(t *testing.T) {
	var src []byte
	for i := range 64 {
		src = append(src, byte(i<<2), byte(i<<4), byte(i<<6)|byte(i))
	}
	if got, want := string(appendBase64(nil, src)), base64.RawURLEncoding.EncodeToString(src); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
