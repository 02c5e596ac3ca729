package strictjson_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/internal/strictjson"
)

func TestCountsHaveOneForm(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "1": 1, "12": 12, "9007199254740991": 1<<53 - 1} {
		v := strictjson.EncodeCount(want)
		if string(v) != text {
			t.Errorf("%d is written as %q", want, v)
		}
		if n, ok := strictjson.DecodeCount(v); n != want || !ok {
			t.Errorf("%q is read as %d, %v", v, n, ok)
		}
	}
	for _, text := range []string{"0", "-1", "9007199254740992", "1e400", "1.0", "1e3", "null", `"1"`, "true", "[1]", "{}"} {
		if n, ok := strictjson.DecodeCount(jsontext.Value(text)); ok {
			t.Errorf("%s is read as %d", text, n)
		}
	}
}
