package strictjson_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/internal/strictjson"
)

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// object returns one with n members, each with this value.
func object(n int, value string) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"%d":%s`, i, value)
	}
	return "{" + strings.Join(members, ",") + "}"
}

func TestBounds(t *testing.T) {
	digits := strings.Repeat("1", strictjson.MaxNumber)
	for name, tt := range map[string]struct {
		doc  string
		want error
	}{
		"the deepest":                  {nested(16), nil},
		"a level more":                 {nested(17), strictjson.ErrTooDeep},
		"deep in an object":            {`{"a":` + nested(16) + `}`, strictjson.ErrTooDeep},
		"level after level":            {"[" + strings.Repeat(nested(15)+",", 9) + "1]", nil},
		"brackets in a string":         {`"` + strings.Repeat(`[`, 99) + `"`, nil},
		"brackets behind a quote":      {`"\"` + strings.Repeat(`[`, 99) + `"`, nil},
		"brackets behind a backslash":  {`["\\",` + nested(16) + "]", strictjson.ErrTooDeep},
		"the widest":                   {object(256, "1"), nil},
		"a member more":                {object(257, "1"), strictjson.ErrTooWide},
		"wide within":                  {`[{"a":` + object(257, "1") + `}]`, strictjson.ErrTooWide},
		"wide together":                {"[" + object(200, "1") + "," + object(200, "1") + "]", nil},
		"wide at two levels":           {object(256, `{"a":1,"b":2}`), nil},
		"colons in a string":           {`{"a":"` + strings.Repeat(":", 999) + `"}`, nil},
		"the longest number":           {digits, nil},
		"a digit more":                 {digits + "1", strictjson.ErrTooLong},
		"a negative one":               {"-" + digits, strictjson.ErrTooLong},
		"a long fraction":              {"0." + digits, strictjson.ErrTooLong},
		"a long exponent":              {"1e" + digits, strictjson.ErrTooLong},
		"a long number in the middle":  {`{"a":[1,` + digits + `1]}`, strictjson.ErrTooLong},
		"many numbers":                 {"[" + strings.Repeat("123,", 999) + "1]", nil},
		"digits in a string":           {`"` + strings.Repeat("1", 999) + `"`, nil},
		"digits in a name":             {`{"` + strings.Repeat("1", 999) + `":1}`, nil},
		"a byte order mark":            {"\ufeff{}", errDecoder},
		"UTF-16":                       {"{\x00}\x00", errDecoder},
		"a name twice":                 {`{"a":1,"a":2}`, errDecoder},
		"a name twice by escapes":      {`{"a":1,"\u0061":2}`, errDecoder},
		"a name twice within":          {`[{"x":{"a":1,"a":2}}]`, errDecoder},
		"a name in two cases":          {`{"a":1,"A":2}`, nil},
		"broken UTF-8":                 {"\"\xff\"", errDecoder},
		"broken UTF-8 in a name":       {"{\"\xff\":1}", errDecoder},
		"half a surrogate pair":        {`"\ud800"`, errDecoder},
		"two values":                   {`1 2`, errDecoder},
		"something behind":             {`{}x`, errDecoder},
		"a NUL behind":                 {"{}\x00", errDecoder},
		"white space behind":           {"{} \t\r\n", nil},
		"other white space":            {"{}\u00a0", errDecoder},
		"a comment":                    {"{/**/}", errDecoder},
		"a trailing comma":             {"[1,]", errDecoder},
		"single quotes":                {"{'a':1}", errDecoder},
		"no quotes":                    {"{a:1}", errDecoder},
		"a leading zero":               {"01", errDecoder},
		"a leading plus":               {"+1", errDecoder},
		"hexadecimal":                  {"0x1", errDecoder},
		"no digit before the point":    {".5", errDecoder},
		"no digit after the point":     {"1.", errDecoder},
		"NaN":                          {"NaN", errDecoder},
		"Infinity":                     {"Infinity", errDecoder},
		"a control in a string":        {"\"\x01\"", errDecoder},
		"a string that does not end":   {`"`, errDecoder},
		"one that ends in a backslash": {`"\`, errDecoder},
		"closed more often than open":  {"]]]]}}}}", errDecoder},
		"nothing":                      {"", errDecoder},
	} {
		t.Run(name, func(t *testing.T) {
			var v jsontext.Value
			switch err := strictjson.Unmarshal([]byte(tt.doc), &v); {
			case tt.want == errDecoder && err == nil:
				t.Error("taken")
			case tt.want != errDecoder && err != tt.want:
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestBoundsOfAMember(t *testing.T) {
	for doc, want := range map[string]error{
		nested(15):       nil,
		nested(16):       strictjson.ErrTooDeep,
		object(256, "1"): nil,
		object(257, "1"): strictjson.ErrTooWide,
		`"]]]]"`:         nil,
	} {
		if err := strictjson.CheckMember([]byte(doc)); err != want {
			t.Errorf("%.40s: got %v, want %v", doc, err, want)
		}
	}
}

// errDecoder stands for an error of the decoder.
var errDecoder = fmt.Errorf("an error of the decoder")

// Names are compared to the letter, where encoding/json folds ASCII and more.
func TestNamesMatchToTheLetter(t *testing.T) {
	for _, name := range []string{"ISS", "Iss", "i\u017fs", "is\u017f", " iss", "iss ", `iss\u0000`} {
		var v struct {
			Issuer string `json:"iss"`
		}
		if err := strictjson.Unmarshal([]byte(`{"`+name+`":"x"}`), &v); err != nil || v.Issuer != "" {
			t.Errorf("%q was taken for iss: %v", name, err)
		}
	}
}

// What Check finds is what a decoder that counts finds.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"\"[{:",{"b":-1.5e+3}]}`, nested(17), object(257, "1"), strings.Repeat("1", 257), `"\`, "]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		err := strictjson.Check(doc)
		if v := jsontext.Value(doc); v.IsValid() {
			if want := count(v); (err == nil) != want {
				t.Errorf("%q: got %v", doc, err)
			}
		}
	})
}

// count reports whether valid JSON is within the bounds.
func count(v jsontext.Value) bool {
	ok := true
	d := jsontext.NewDecoder(strings.NewReader(string(v)))
	for {
		tok, err := d.ReadToken()
		if err != nil {
			return ok
		}
		if kind, n := d.StackIndex(d.StackDepth()); kind == '{' && n > 2*strictjson.MaxMembers {
			ok = false
		}
		if d.StackDepth() > strictjson.MaxDepth || tok.Kind() == '0' && len(tok.String()) > strictjson.MaxNumber {
			ok = false
		}
	}
}

// Wherever a number begins.
func TestLongNumbersAnywhere(t *testing.T) {
	for before := range 600 {
		for digits, want := range map[int]error{strictjson.MaxNumber: nil, strictjson.MaxNumber + 1: strictjson.ErrTooLong} {
			doc := `["` + strings.Repeat("x", before) + `",` + strings.Repeat("1", digits) + `]`
			if err := strictjson.Check([]byte(doc)); err != want {
				t.Fatalf("%d digits after %d letters: %v", digits, before, err)
			}
		}
	}
}
