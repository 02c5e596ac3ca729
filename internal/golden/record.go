package main

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// An edit is an entry of a ring's record.
type edit struct {
	at, action string
	keys       []string
}

// edits are those that brought newKeys to their states.
func edits(keys []key) []edit {
	retired, revoked, active, next := keys[0].id, keys[1].id, keys[2].id, keys[3].id
	return []edit{
		{"1999-12-01T00:00:00Z", "init", []string{retired, revoked}},
		{"1999-12-20T00:00:00Z", "rotate", []string{retired, revoked, active}},
		{"1999-12-21T12:34:56Z", "revoke", []string{revoked, active, next}},
	}
}

// record returns the entries as they stand in a ring, and the digest of each.
func record(keys []key) (members string, digests []string) {
	var entries []string
	before := ""
	for i, e := range edits(keys) {
		compact := fmt.Sprintf(`{"generation":%d,"at":%q,"by":"root@golden","action":%q,"keys":["%s"]`, i+1, e.at, e.action, strings.Join(e.keys, `","`))
		text := fmt.Sprintf("      {\n        \"generation\": %d,\n        \"at\": %q,\n        \"by\": \"root@golden\",\n        \"action\": %q,\n        \"keys\": [\n          \"%s\"\n        ]",
			i+1, e.at, e.action, strings.Join(e.keys, "\",\n          \""))
		if before != "" {
			compact += fmt.Sprintf(`,"before":%q`, before)
			text += fmt.Sprintf(",\n        \"before\": %q", before)
		}
		sum := sha256.Sum256([]byte(compact + "}"))
		before = b64(sum[:])
		digests = append(digests, before)
		entries = append(entries, text+"\n      }")
	}
	return strings.Join(entries, ",\n"), digests
}
