package paseto_test

import (
	"bytes"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/token"
)

// Every verify-only node holds the sealing secret, so it can put anything into
// an envelope.
func TestGenuineEnvelopesWithOtherContents(t *testing.T) {
	h := newHolder(t)
	refresh := token.Binding{Purpose: token.PurposeRefresh, Issuer: "example.com", Audience: "web"}
	inner := h.signed(payload, session)
	body := strings.TrimPrefix(inner, "v4.public.")
	other := h
	other.priv = bytes.Clone(h.priv)
	other.priv[0] ^= 1
	for name, tt := range map[string]struct {
		inner string
		want  error
	}{
		"nothing":                {"", token.ErrMalformed},
		"claims, not signed":     {payload, token.ErrMalformed},
		"the header alone":       {"v4.public.", token.ErrMalformed},
		"a signature of nothing": {"v4.public." + strings.Repeat("A", 86), token.ErrInvalid},
		"too short for one":      {"v4.public." + strings.Repeat("A", 84), token.ErrMalformed},
		"a footer":               {inner + ".e30", token.ErrInvalid},
		"an empty footer":        {inner + ".", token.ErrMalformed},
		"a line feed":            {inner + "\n", token.ErrMalformed},
		"padding":                {inner + "=", token.ErrMalformed},
		"a space before it":      {" " + inner, token.ErrMalformed},
		"version 3":              {"v3.public." + body, token.ErrMalformed},
		"version 2":              {"v2.public." + body, token.ErrMalformed},
		"local":                  {"v4.local." + body, token.ErrMalformed},
		"a token in a token":     {h.envelope(inner, session), token.ErrMalformed},
		"a JWT":                  {"eyJhbGciOiJub25lIn0.e30.", token.ErrMalformed},
		"signed by another":      {other.signed(payload, session), token.ErrInvalid},
		"signed as refresh":      {h.signed(payload, refresh), token.ErrInvalid},
		"signed for nobody":      {h.signed(payload, token.Binding{}), token.ErrInvalid},
		"other claims, signature kept": {"v4.public." + b64.EncodeToString([]byte(
			strings.Replace(payload, "alice", "carol", 1)+string(signature(t, inner)))), token.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) { h.refuse(t, h.envelope(tt.inner, session), tt.want) })
	}
	for name, payload := range map[string]string{
		"the inner token, not in JSON": inner,
		"JSON of nothing":              "{}",
		"JSON of a string":             `"` + inner + `"`,
		"another name":                 `{"Token":"` + inner + `"}`,
		"a space before it":            ` {"token":"` + inner + `"}`,
		"a space in it":                `{"token": "` + inner + `"}`,
		"a line feed after it":         `{"token":"` + inner + `"}` + "\n",
		"cut":                          `{"token":"` + inner + `"`,
		"nothing after the prefix":     `{"token":"`,
		"prefix and suffix overlap":    `{"token":"}`,
		"a member too many":            `{"token":"` + inner + `","a":1}`,
		"the name twice":               `{"token":"x","token":"` + inner + `"}`,
	} {
		t.Run(name, func(t *testing.T) { h.refuse(t, h.sealed(payload, session), token.ErrMalformed) })
	}
	t.Run("sealed as refresh", func(t *testing.T) { h.refuse(t, h.envelope(inner, refresh), token.ErrInvalid) })
}

func (h holder) refuse(t *testing.T, tok string, want error) {
	t.Helper()
	c, err := h.Open(tok, session)
	if err != want || !errors.Is(err, token.ErrInvalid) || c.ID != "" || c.Raw != "" {
		t.Errorf("got %v, want %v", err, want)
	}
}

// signature returns that of a v4.public without footer.
func signature(t *testing.T, inner string) []byte {
	t.Helper()
	body, err := b64.DecodeString(strings.TrimPrefix(inner, "v4.public."))
	if err != nil {
		t.Fatal(err)
	}
	return body[len(body)-64:]
}

// Another signature made from a genuine one, without the key (RFC 8032 section
// 5.1.7 and 8.4), and the ones that lax verifiers take.
func TestAlteredSignatures(t *testing.T) {
	h := newHolder(t)
	genuine := signature(t, h.signed(payload, session))
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	plus := func(n *big.Int) []byte {
		s := bytes.Clone(genuine[32:])
		slices.Reverse(s)
		sum := new(big.Int).Add(new(big.Int).SetBytes(s), n).FillBytes(make([]byte, 32))
		slices.Reverse(sum)
		return append(bytes.Clone(genuine[:32]), sum...)
	}
	zeros, neutral := make([]byte, 64), append([]byte{1}, make([]byte, 63)...)
	for name, sig := range map[string][]byte{
		"S plus the order":       plus(order),
		"S plus twice the order": plus(new(big.Int).Add(order, order)),
		"zeros":                  zeros,
		"the neutral element":    neutral,
		"R of zero":              append(make([]byte, 32), genuine[32:]...),
		"S of zero":              append(bytes.Clone(genuine[:32]), make([]byte, 32)...),
		"S of the order":         append(bytes.Clone(genuine[:32]), reversed(order)...),
		"the halves swapped":     append(bytes.Clone(genuine[32:]), genuine[:32]...),
		"the sign of R changed":  flipped(genuine, 31, 0x80),
		"a high bit in S":        flipped(genuine, 63, 0x20),
	} {
		t.Run(name, func(t *testing.T) {
			inner := "v4.public." + b64.EncodeToString([]byte(payload+string(sig)))
			h.refuse(t, h.envelope(inner, session), token.ErrInvalid)
		})
	}
	inner := "v4.public." + b64.EncodeToString([]byte(payload+string(genuine)))
	if _, err := h.Open(h.envelope(inner, session), session); err != nil {
		t.Errorf("the genuine one: %v", err)
	}
}

func reversed(n *big.Int) []byte {
	b := n.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return b
}

func flipped(sig []byte, at int, bit byte) []byte {
	sig = bytes.Clone(sig)
	sig[at] ^= bit
	return sig
}

// Here both layers are genuine: a bug or an intruder on a minting node.
func TestGenuineTokensWithOtherClaims(t *testing.T) {
	h := newHolder(t)
	replace := func(old, new string) string {
		if strings.Count(payload, old) != 1 {
			t.Fatalf("%q is not there once", old)
		}
		return strings.Replace(payload, old, new, 1)
	}
	const (
		exp  = `"exp":"2025-11-24T16:30:00Z"`
		auth = `"auth_time":"2025-11-24T16:00:00.123456Z"`
		name = `{"Name":"Alice"}`
	)
	at := func(s string) string { return replace(exp, `"exp":"`+s+`"`) }
	authAt := func(s string) string { return replace(auth, `"auth_time":"`+s+`"`) }
	for name, tt := range map[string]struct {
		payload string
		want    error
	}{
		"as minted":                {payload, nil},
		"a member too many":        {replace(`{"iss"`, `{"new":{"a":[1]},"iss"`), nil},
		"white space":              {replace(`,"aud"`, " ,\n\"aud\" "), nil},
		"nothing":                  {"", token.ErrMalformed},
		"null":                     {"null", token.ErrClaims},
		"an empty object":          {"{}", token.ErrClaims},
		"an array":                 {"[" + payload + "]", token.ErrMalformed},
		"a string":                 {`"x"`, token.ErrMalformed},
		"two objects":              {payload + payload, token.ErrMalformed},
		"a byte after it":          {payload + "\x00", token.ErrMalformed},
		"a trailing comma":         {payload[:len(payload)-1] + ",}", token.ErrMalformed},
		"a comment":                {replace(`{"iss"`, `{/**/"iss"`), token.ErrMalformed},
		"a byte order mark":        {"\ufeff" + payload, token.ErrMalformed},
		"broken UTF-8":             {replace("alice", "ali\xffce"), token.ErrMalformed},
		"half a surrogate pair":    {replace("alice", `\ud800`), token.ErrMalformed},
		"a name twice":             {replace(`"sub":"alice"`, `"sub":"alice","sub":"root"`), token.ErrMalformed},
		"a name twice by escapes":  {replace(`"sub":"alice"`, `"sub":"alice","s\u0075b":"root"`), token.ErrMalformed},
		"a name twice in the data": {replace(name, `{"Name":"a","Name":"b"}`), token.ErrMalformed},
		"a name twice in unknowns": {replace(`{"iss"`, `{"x":{"y":1,"y":2},"iss"`), token.ErrMalformed},
		"deep data":                {replace(name, nested(16)), token.ErrMalformed},
		"deep unknowns":            {replace(`{"iss"`, `{"x":`+nested(16)+`,"iss"`), token.ErrMalformed},
		"as deep as allowed":       {replace(name, nested(15)), nil},
		"a number of 257 digits":   {replace(name, strings.Repeat("1", 257)), token.ErrMalformed},
		"a number of 256 digits":   {replace(name, strings.Repeat("1", 256)), nil},
		"depth in a string":        {replace(`"Alice"`, `"\"`+strings.Repeat("[", 99)+`\\"`), nil},
		"another issuer":           {replace("example.com", "example.org"), token.ErrClaims},
		"another audience":         {replace(`"web"`, `"api"`), token.ErrClaims},
		"audiences":                {replace(`"web"`, `["web"]`), token.ErrMalformed},
		"a number for sub":         {replace(`"alice"`, `7`), token.ErrMalformed},
		"null for sub":             {replace(`"alice"`, `null`), token.ErrClaims},
		"an empty sub":             {replace(`"alice"`, `""`), token.ErrClaims},
		"true for jti":             {replace(`"`+strings.Repeat("i", 22)+`"`, `true`), token.ErrMalformed},
		"an object for iss":        {replace(`"example.com"`, `{}`), token.ErrMalformed},
		"nbf":                      {replace(`"iat"`, `"nbf":"2025-11-24T16:00:00Z","iat"`), token.ErrClaims},
		"nbf null":                 {replace(`"iat"`, `"nbf":null,"iat"`), token.ErrClaims},
		"nbf twice":                {replace(`"iat"`, `"nbf":1,"nbf":null,"iat"`), token.ErrMalformed},
		"NBF":                      {replace(`"iat"`, `"NBF":null,"iat"`), nil}, // an unknown member
		"Exp for exp":              {replace(`"exp"`, `"Exp"`), token.ErrClaims},
		"exp as a number":          {replace(exp, `"exp":1764001800`), token.ErrMalformed},
		"exp null":                 {replace(exp, `"exp":null`), token.ErrClaims},
		"exp empty":                {at(""), token.ErrClaims},
		"exp with an offset":       {at("2025-11-24T16:30:00+00:00"), token.ErrClaims},
		"exp of another zone":      {at("2025-11-24T17:30:00+01:00"), token.ErrClaims},
		"exp without a zone":       {at("2025-11-24T16:30:00"), token.ErrClaims},
		"exp with a fraction":      {at("2025-11-24T16:30:00.5Z"), token.ErrClaims},
		"exp with zeros":           {at("2025-11-24T16:30:00.000Z"), token.ErrClaims},
		"exp with a comma":         {at("2025-11-24T16:30:00,5Z"), token.ErrClaims},
		"exp with a space":         {at("2025-11-24 16:30:00Z"), token.ErrClaims},
		"exp in small letters":     {at("2025-11-24t16:30:00z"), token.ErrClaims},
		"exp of one digit":         {at("2025-11-24T6:30:00Z"), token.ErrClaims},
		"exp in a leap second":     {at("2025-12-31T23:59:60Z"), token.ErrClaims},
		"exp on a day that is not": {at("2025-02-29T00:00:00Z"), token.ErrClaims},
		"exp at 24:00":             {at("2025-11-24T24:00:00Z"), token.ErrClaims},
		"exp in the year 10000":    {at("10000-01-01T00:00:00Z"), token.ErrClaims},
		"exp in the year 0":        {at("0000-01-01T00:00:00Z"), token.ErrClaims},
		"exp at the epoch":         {at("1970-01-01T00:00:00Z"), token.ErrClaims},
		"exp and a space":          {at("2025-11-24T16:30:00Z "), token.ErrClaims},
		"exp and a NUL":            {at(`2025-11-24T16:30:00Z\u0000`), token.ErrClaims},
		"exp written by escapes":   {at(`\u0032025-11-24T16:30:00Z`), nil},
		"auth_time in seconds":     {authAt("2025-11-24T16:00:00Z"), token.ErrClaims},
		"auth_time in five digits": {authAt("2025-11-24T16:00:00.12345Z"), token.ErrClaims},
		"auth_time in seven":       {authAt("2025-11-24T16:00:00.1234567Z"), token.ErrClaims},
		"auth_time with an offset": {authAt("2025-11-24T16:00:00.123456+00:00"), token.ErrClaims},
		"auth_time with a comma":   {authAt("2025-11-24T16:00:00,123456Z"), token.ErrClaims},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.Open(h.envelope(h.signed(tt.payload, session), session), session)
			if err != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestAllMembersAreRequired(t *testing.T) {
	h := newHolder(t)
	for _, name := range []string{"iss", "sub", "aud", "exp", "iat", "jti", "sid", "auth_time", "ends", "data"} {
		for what, change := range map[string]func(m map[string]jsontext.Value){
			"without":          func(m map[string]jsontext.Value) { delete(m, name) },
			"in other letters": func(m map[string]jsontext.Value) { m[strings.ToUpper(name)] = m[name]; delete(m, name) },
		} {
			t.Run(what+" "+name, func(t *testing.T) {
				var m map[string]jsontext.Value
				if err := json.Unmarshal([]byte(payload), &m); err != nil || m[name] == nil {
					t.Fatalf("payload has no %s: %v", name, err)
				}
				change(m)
				changed, err := json.Marshal(m)
				if err != nil {
					t.Fatal(err)
				}
				h.refuse(t, h.envelope(h.signed(string(changed), session), session), token.ErrClaims)
			})
		}
	}
}
