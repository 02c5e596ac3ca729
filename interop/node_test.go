package interop

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/keys"
)

// The lines of docs/other-languages.md, run by Node with what "carnet export
// --jwks" writes.
func TestNodeOpensOurs(t *testing.T) {
	carnet, dir := build(t), nodeDir(t)
	ring := filepath.Join(dir, "ring.json")
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if err := (keys.Source{Path: ring, Plain: true}).Create(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "jwks.json"), carnet.run(t, "export", "--jwks", ring))
	write(t, filepath.Join(dir, "verify.mjs"), []byte(nodeLines(t)))
	write(t, filepath.Join(dir, "main.mjs"), []byte(`import { verify } from './verify.mjs'
const { payload } = await verify(process.argv[2], 'example.com', 'web')
console.log(payload.sub, payload.data.Name)
`))
	tok := strings.TrimSpace(string(carnet.run(t, "issue", "--ring", ring, "--issuer", "example.com", "--audience", "web",
		"--subject", "alice", "--data", `{"Name":"Alice"}`)))
	if out, err := node(dir, tok); err != nil || out != "alice Alice\n" {
		t.Errorf("a good token: %v\n%s", err, out)
	}
	altered := tok[:len(tok)-30] + "A" + tok[len(tok)-29:]
	if out, err := node(dir, altered); err == nil {
		t.Errorf("an altered token: %s", out)
	}
	for _, wrong := range [][2]string{{"other.example", "web"}, {"example.com", "api"}} {
		tok := strings.TrimSpace(string(carnet.run(t, "issue", "--ring", ring, "--issuer", wrong[0], "--audience", wrong[1], "--subject", "alice")))
		if out, err := node(dir, tok); err == nil {
			t.Errorf("a token for %v: %s", wrong, out)
		}
	}
}

// nodeDir returns a folder in which Node finds the package jose.
func nodeDir(t *testing.T) string {
	t.Helper()
	checkNode(t)
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		doc, err := os.ReadFile(filepath.Join("node", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), doc)
	}
	cmd := exec.Command("npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return dir
}

// checkNode fails early where a distribution has a Node that the package jose
// does not run on.
func checkNode(t *testing.T) {
	t.Helper()
	out, err := exec.Command("node", "--version").Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	var major int
	if _, err := fmt.Sscanf(string(out), "v%d.", &major); err != nil || major < 20 {
		t.Fatalf("this is Node %s, and the package jose needs Node 20", out)
	}
}

func nodeLines(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile("../docs/other-languages.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(doc), "```js\n")
	lines, _, ok2 := strings.Cut(rest, "```")
	if !ok || !ok2 {
		t.Fatal("docs/other-languages.md has no lines for Node")
	}
	return lines
}

func node(dir, tok string) (string, error) {
	cmd := exec.Command("node", "main.mjs", tok)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// A command is the path of carnet.
type command string

func build(t *testing.T) command {
	t.Helper()
	path := filepath.Join(t.TempDir(), "carnet")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/carnet")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build carnet: %v\n%s", err, out)
	}
	return command(path)
}

func (c command) run(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(string(c), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("carnet %v: %v\n%s", args, err, stderr.Bytes())
	}
	return out
}

func write(t *testing.T, path string, doc []byte) {
	t.Helper()
	if err := os.WriteFile(path, doc, 0o600); err != nil {
		t.Fatal(err)
	}
}
