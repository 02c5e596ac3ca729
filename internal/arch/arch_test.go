// Package arch checks what no single package can: who imports whom, what is
// exported, and what the README shows.
package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/carnet-go/carnet"

// level is how high a package stands in docs/design.md. Each import goes down.
var level = map[string]int{
	"internal/edkey":               0,
	"internal/golden":              0,
	"internal/leaks":               0,
	"internal/strictjson":          0,
	"internal/hot":                 0,
	"token":                        0,
	"internal/jose":                1,
	"internal/paseto":              1,
	"keys/keystore":                0,
	"keys/kek":                     1,
	"keys/audit":                   0,
	"internal/markset":             1,
	"internal/redistest":           0,
	"keys":                         2,
	"keys/keystest":                3,
	"keys/redisring":               3,
	"revocation":                   2,
	"revocation/filelist":          3,
	"revocation/freshness":         3,
	"revocation/revocationtest":    3,
	"chimw":                        4,
	"chimw/latest":                 2,
	"chimw/latest/latesttest":      3,
	"chimw/latest/redislatest":     3,
	"chimw/overflow":               2,
	"chimw/overflow/overflowtest":  3,
	"chimw/overflow/redisoverflow": 3,
	"chimw/reason":                 5,
	"chimw/refresh":                5,
	"chimw/refresh/refreshtest":    6,
	"chimw/refresh/redisrefresh":   6,
	"internal/start":               3,
	"internal/inflight":            5,
	"revocation/redislist":         4,
	"docs/examples":                7,
	"docs/examples/chi":            6,
	"docs/examples/migrate":        6,
	"docs/examples/queue":          6,
	"docs/examples/servemux":       6,
	"docs/examples/verifyonly":     6,
	"cmd/carnet/internal/demo":     6,
	"cmd/carnet":                   7,
	"internal/arch":                7,
	"internal/corpus":              7,
	"internal/formattest":          3,
}

func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = "../.."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %v: %v", args, err)
	}
	return string(out)
}

func TestImportsGoDown(t *testing.T) {
	for line := range strings.Lines(goCommand(t, "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")) {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module+"/")
		from, ok := level[pkg]
		if !ok {
			t.Errorf("%s has no level in the design", pkg)
		}
		for _, path := range fields[1:] {
			imported, ours := strings.CutPrefix(path, module+"/")
			if ours && level[imported] >= from {
				t.Errorf("%s imports %s, which does not stand below it", pkg, imported)
			}
		}
	}
}

func TestTokenImportsNothingOfOurs(t *testing.T) {
	for _, path := range strings.Fields(goCommand(t, "list", "-deps", "./token")) {
		if strings.HasPrefix(path, module) && path != module+"/token" {
			t.Errorf("token needs %s", path)
		}
	}
}

func TestLeanImports(t *testing.T) {
	for pkg, banned := range map[string][]string{
		"./token":        {"net/http", "github.com/go-chi", "github.com/redis"},
		"./keys":         {"net/http", "github.com/go-chi", "github.com/redis"},
		"./revocation":   {"net/http", "github.com/go-chi", "github.com/redis"},
		"./chimw":        {"github.com/go-chi", "github.com/redis", module + "/keys"},
		"./chimw/reason": {"github.com/go-chi", "github.com/redis"},
	} {
		for _, path := range strings.Fields(goCommand(t, "list", "-deps", pkg)) {
			for _, b := range banned {
				if path == b || strings.HasPrefix(path, b+"/") {
					t.Errorf("%s needs %s", pkg, path)
				}
			}
		}
	}
}

// A surface that fits in a head.
func TestExportedNamesAreFewAndDocumented(t *testing.T) {
	var names []string
	for _, pkg := range []string{"token", "keys", "revocation", "chimw"} {
		files, err := filepath.Glob(filepath.Join("../..", pkg, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files of %s: %v", pkg, err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				names = append(names, exported(t, pkg, file)...)
			}
		}
	}
	slices.Sort(names)
	if len(names) > 65 {
		t.Errorf("%d exported names: %v", len(names), names)
	}
}

// exported returns the package-level names in a file, and demands a comment on
// each and on each exported method.
func exported(t *testing.T, pkg, file string) (names []string) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	add := func(name *ast.Ident, docs ...*ast.CommentGroup) {
		if !name.IsExported() {
			return
		}
		names = append(names, pkg+"."+name.Name)
		if !slices.ContainsFunc(docs, func(d *ast.CommentGroup) bool { return d != nil }) {
			t.Errorf("%s.%s has no comment", pkg, name.Name)
		}
	}
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				add(d.Name, d.Doc)
			} else if d.Name.IsExported() && ast.IsExported(receiver(d)) && d.Doc == nil {
				t.Errorf("method %s in %s has no comment", d.Name.Name, file)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					add(s.Name, s.Doc, d.Doc)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						add(name, s.Doc, s.Comment, d.Doc)
					}
				}
			}
		}
	}
	return names
}

// receiver returns the name of the type that a method belongs to.
func receiver(d *ast.FuncDecl) string {
	expr := d.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

// build compiles a program from outside the module's packages.
func build(t *testing.T, source, out string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", out, file)
	cmd.Dir = "../.."
	msg, err := cmd.CombinedOutput()
	return string(msg), err
}

// The same program with a ring of the one kind and of the other.
func TestAVerifyRingCannotMint(t *testing.T) {
	program := func(open string) string {
		return fmt.Sprintf(`package main

import (
	"%[1]s/keys"
	"%[1]s/token"
)

func main() {
	ring, _ := keys.%[2]s("ring.json")
	token.NewIssuer[string](ring, token.Config{Issuer: "i", Audience: "a"})
}
`, module, open)
	}
	if msg, err := build(t, program("Open"), os.DevNull); err != nil {
		t.Fatalf("a ring is no Sealer: %s", msg)
	}
	msg, err := build(t, program("OpenVerifyOnly"), os.DevNull)
	if err == nil || !strings.Contains(msg, "VerifyRing does not implement token.Sealer") {
		t.Errorf("a verify-only ring compiles as a Sealer, or for another reason does not: %v\n%s", err, msg)
	}
}
