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

// The lines of docs/other-languages.md, run by Node with what "carnet export"
// writes.
func TestNodeOpensOurs(t *testing.T) {
	carnet, dir := build(t), nodeDir(t)
	for _, tt := range []struct {
		format     keys.Format
		heading    string // of the lines
		flag, file string // of the export
	}{
		{keys.JWT, "## Node\n", "--jwks", "jwks.json"},
		{keys.PASETO, "## PASETO\n", "--paserk", "paserk.json"},
	} {
		t.Run(string(tt.format), func(t *testing.T) {
			ring := filepath.Join(t.TempDir(), "ring.json")
			carnet.run(t, "init", ring, "--insecure-plain", "--format", string(tt.format))
			write(t, filepath.Join(dir, tt.file), carnet.run(t, "export", tt.flag, ring))
			write(t, filepath.Join(dir, "verify.mjs"), []byte(nodeLines(t, tt.heading)))
			checkNodeVerdicts(t, carnet, dir, ring)
		})
	}
}

const nodeMain = `import { verify } from './verify.mjs'
const { payload } = await verify(process.argv[2], 'example.com', 'web')
console.log(payload.sub, payload.data.Name)
`

func checkNodeVerdicts(t *testing.T, carnet command, dir, ring string) {
	t.Helper()
	write(t, filepath.Join(dir, "main.mjs"), []byte(nodeMain))
	issue := func(issuer, audience string) string {
		return strings.TrimSpace(string(carnet.run(t, "issue", "--ring", ring, "--issuer", issuer, "--audience", audience,
			"--subject", "alice", "--data", `{"Name":"Alice"}`)))
	}
	tok := issue("example.com", "web")
	if out, err := node(dir, tok); err != nil || out != "alice Alice\n" {
		t.Errorf("a good token: %v\n%s", err, out)
	}
	at := len(tok) / 2
	altered := tok[:at] + string([]byte{tok[at] ^ 1}) + tok[at+1:]
	for name, bad := range map[string]string{
		"an altered token": altered, "another issuer's": issue("other.example", "web"), "one for another audience": issue("example.com", "api"),
	} {
		if out, err := node(dir, bad); err == nil {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// nodeDir returns a folder in which Node finds the packages.
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

func nodeLines(t *testing.T, heading string) string {
	t.Helper()
	doc, err := os.ReadFile("../docs/other-languages.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), heading)
	_, rest, ok := strings.Cut(rest, "```js\n")
	lines, _, ok2 := strings.Cut(rest, "```")
	if !ok || !ok2 {
		t.Fatalf("docs/other-languages.md has no lines below %q", heading)
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
