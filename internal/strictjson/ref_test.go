package strictjson_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/internal/strictjson"
)

func TestRef(t *testing.T) {
	for text, want := range map[string]string{
		``: "", `"a"`: "a", `"A-z_09"`: "A-z_09", `"` + strings.Repeat("x", 128) + `"`: strings.Repeat("x", 128),
	} {
		var v jsontext.Value
		if text != "" {
			v = jsontext.Value(text)
		}
		if got, ok := strictjson.DecodeRef(v); got != want || !ok {
			t.Errorf("%s: %q, %v", text, got, ok)
		}
		if got := string(strictjson.EncodeRef(want)); got != text {
			t.Errorf("%q is written as %s", want, got)
		}
	}
	for _, text := range []string{`""`, `null`, `0`, `[]`, `{}`, `true`, `"a b"`, `"a="`, `"a+"`, `"a\n"`, `"é"`, `"` + strings.Repeat("x", 129) + `"`, `["a"]`} {
		if got, ok := strictjson.DecodeRef(jsontext.Value(text)); ok {
			t.Errorf("%s is read as %q", text, got)
		}
	}
}
