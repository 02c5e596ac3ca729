//go:build unix

package keystore

import (
	"io/fs"
	"strings"
	"testing"
)

func TestWhoMayUseAFile(t *testing.T) {
	const me, other, group = 1000, 1001, 2000
	for _, c := range []struct {
		what string
		mode fs.FileMode
		uid  int
		gid  int
		want string // part of the refusal
	}{
		{"mine", 0o600, me, group, ""},
		{"mine, to read only", 0o400, me, group, ""},
		{"mine, and my group's", 0o640, me, group, "chmod 600"},
		{"mine, and everybody's", 0o604, me, group, "chmod 600"},
		{"mine, and everybody's to write", 0o602, me, group, "chmod 600"},
		{"a mounted secret", 0o440, 0, group, ""},
		{"a mounted secret that the group can write", 0o460, 0, group, "chmod 600"},
		{"a mounted secret for everybody", 0o444, 0, group, "chmod 600"},
		{"root's, for a group that I am not in", 0o440, 0, 3000, "chmod 600"},
		{"somebody else's", 0o600, other, group, "belongs to user 1001"},
		{"somebody else's, of my group", 0o640, other, group, "belongs to user 1001"},
	} {
		err := access{"ring.json", c.mode, c.uid, c.gid}.check(me, []int{me, group})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}
