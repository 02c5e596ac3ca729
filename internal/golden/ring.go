package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/blake2b"
)

var b64 = base64.RawURLEncoding.EncodeToString

// A key is one generation.
type key struct {
	format, state string
	id            string
	seal          []byte
	sign          ed25519.PrivateKey
}

func (k key) public() []byte { return k.sign[32:] }

// newKeys returns a key in each state, oldest first.
func newKeys(format string) []key {
	var keys []key
	for _, state := range []string{"retired", "revoked", "active", "pre-published"} {
		k := key{format: format, state: state}
		k.seal = fixed("seal", format, state)
		k.sign = ed25519.NewKeyFromSeed(fixed("sign", format, state))
		k.id = k.fingerprint()
		keys = append(keys, k)
	}
	return keys
}

// fixed returns 32 bytes that are always the same.
func fixed(what ...string) []byte {
	sum := sha256.Sum256([]byte("carnet golden " + strings.Join(what, " ")))
	return sum[:]
}

func (k key) fingerprint() string {
	if k.format == "jwt" {
		sum := sha256.Sum256([]byte("carnet JWT key\n" + string(k.public()) + string(k.seal)))
		return b64(sum[:8])
	}
	h, _ := blake2b.New(33, nil) // fails for other sizes only
	h.Write([]byte("k4.lid.k4.local." + b64(k.seal)))
	return "k4.lid." + b64(h.Sum(nil))
}

// events has the times that a key in each state has seen.
var events = map[string]string{
	"retired": `        "created_at": "1999-12-01T00:00:00Z",
        "activated_at": "1999-12-01T00:00:00Z",
        "retired_at": "1999-12-20T00:00:00Z",
`,
	"revoked": `        "created_at": "1999-12-01T00:00:00Z",
        "activated_at": "1999-12-20T00:00:00Z",
        "revoked_at": "1999-12-21T12:34:56Z",
`,
	"active": `        "created_at": "1999-12-20T00:00:00Z",
        "activated_at": "1999-12-21T12:34:56Z",
`,
	"pre-published": `        "created_at": "1999-12-21T12:34:56Z",
`,
}

// ring returns the member of that name, with the private keys or without.
func ring(keys []key, private bool) string {
	var b strings.Builder
	b.WriteString("{\n    \"name\": \"GOLDEN" + strings.ToUpper(keys[0].format) + "\",\n    \"generation\": 3,\n")
	if private {
		b.WriteString("    \"spread_seconds\": 600,\n    \"token_life_seconds\": 2678400,\n")
	}
	b.WriteString("    \"keys\": [\n")
	for i, k := range keys {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString(k.member(private))
	}
	entries, digests := record(keys)
	if private {
		b.WriteString("\n    ],\n    \"record\": [\n" + entries)
	} else {
		b.WriteString("\n    ],\n    \"edits\": [\n      \"" + strings.Join(digests, "\",\n      \"") + "\"")
	}
	b.WriteString("\n    ]\n  }")
	return b.String()
}

func (k key) member(private bool) string {
	text := fmt.Sprintf("      {\n        \"id\": %q,\n        \"format\": %q,\n        \"state\": %q,\n", k.id, k.format, k.state)
	text += events[k.state]
	text += fmt.Sprintf("        \"public\": %q", std64(k.public()))
	if k.state == "revoked" {
		return text + "\n      }"
	}
	text += fmt.Sprintf(",\n        \"seal\": %q", std64(k.seal))
	if private {
		text += fmt.Sprintf(",\n        \"sign\": %q", std64(k.sign.Seed()))
	}
	return text + "\n      }"
}

func document(kind, ring string) []byte {
	sum := sha256.Sum256([]byte(ring))
	return fmt.Appendf(nil, "{\n  \"kind\": %q,\n  \"version\": 1,\n  \"sha256\": %q,\n  \"ring\": %s\n}\n", kind, b64(sum[:]), ring)
}

func jwks(keys []key) []byte {
	var members []string
	for _, k := range keys {
		if k.state == "revoked" {
			continue
		}
		members = append(members,
			fmt.Sprintf("    {\n      \"kty\": \"oct\",\n      \"kid\": %q,\n      \"use\": \"enc\",\n      \"alg\": \"dir\",\n      \"k\": %q\n    }",
				k.id, b64(k.seal)),
			fmt.Sprintf("    {\n      \"kty\": \"OKP\",\n      \"crv\": \"Ed25519\",\n      \"kid\": %q,\n      \"use\": \"sig\",\n      \"alg\": \"EdDSA\",\n      \"x\": %q\n    }",
				k.id, b64(k.public())))
	}
	return []byte("{\n  \"keys\": [\n" + strings.Join(members, ",\n") + "\n  ]\n}\n")
}
