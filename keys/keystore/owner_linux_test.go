package keystore_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/keys/keystore"
)

// stranger is a user that no test runs as.
const stranger = 4242

// TestAFileOfSomebodyElse has a real one: made by root, or seen from a user namespace
// in which the user is root and nobody else is mapped.
func TestAFileOfSomebodyElse(t *testing.T) {
	path := os.Getenv("CARNET_TEST_FOREIGN")
	switch {
	case path != "":
	case os.Geteuid() == 0:
		f := newFile(t)
		if path = string(f); os.Chown(path, stranger, stranger) != nil {
			t.Fatal("root can't give a file away")
		}
	default:
		again := exec.Command("unshare", "-r", os.Args[0], "-test.run=^TestAFileOfSomebodyElse$")
		again.Env = append(os.Environ(), "CARNET_TEST_FOREIGN=/etc/passwd")
		if out, err := again.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	if doc, err := keystore.File(path).Load(t.Context()); err == nil || !strings.Contains(err.Error(), "belongs to user") {
		t.Errorf("loaded %d bytes: %v", len(doc), err)
	}
	if err := keystore.File(path).Save(t.Context(), []byte("one"), []byte("two")); os.Getenv("CARNET_TEST_FOREIGN") == "" && (err == nil || !strings.Contains(err.Error(), "belongs to user")) {
		t.Errorf("saved over it: %v", err)
	}
}

// TestReplaceable asks of a file that is mounted by itself, in a namespace of its own.
func TestReplaceable(t *testing.T) {
	if path := os.Getenv("CARNET_TEST_MOUNTED"); path != "" {
		err := keystore.File(path).Replaceable()
		if err == nil || !strings.Contains(err.Error(), "mounted as a single file") {
			t.Errorf("got %v", err)
		}
		return
	}
	f := newFile(t)
	if err := f.Replaceable(); err != nil {
		t.Error(err)
	}
	inside := exec.Command("unshare", "-rm", "sh", "-c", `mount --bind "$1" "$1" && exec "$0" -test.run=^TestReplaceable$`, os.Args[0], string(f))
	inside.Env = append(os.Environ(), "CARNET_TEST_MOUNTED="+string(f))
	if out, err := inside.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	s := secret(t.TempDir())
	s.put(t, "1", "one")
	if err := keystore.File(string(s) + "/ring.json").Replaceable(); err == nil || !strings.Contains(err.Error(), "mounted secret") {
		t.Errorf("a mounted secret: %v", err)
	}
}

// TestTheLockIsNoLink makes sure that nobody has another file locked, or its mode
// changed, by a link in the place of the lock.
func TestTheLockIsNoLink(t *testing.T) {
	f := newFile(t)
	victim := string(f) + ".victim"
	for _, err := range []error{
		os.WriteFile(victim, []byte("for all to read"), 0o600),
		os.Chmod(victim, 0o644),
		os.Remove(string(f) + ".lock"),
		os.Symlink(victim, string(f)+".lock"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Save(t.Context(), []byte("one"), []byte("two")); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("saved under the lock of another file: %v", err)
	}
	if err := f.Replaceable(); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("got %v", err)
	}
	if info, err := os.Stat(victim); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the other file has mode %v: %v", info.Mode(), err)
	}
}
