package main

import (
	"context"
	"crypto/fips140"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/keystore"
	"github.com/carnet-go/carnet/keys/redisring"
	"github.com/carnet-go/carnet/token"
)

var every = flag.Bool("every", false, "give the long proofs in full, not a sample")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"carnet": main, "carnet-in-one-thread": oneThread, "carnet-rotates": rotateOften})
}

// oneThread is the command with what it does in one thread: strace counts the
// calls of each thread by themselves.
func oneThread() {
	runtime.LockOSThread()
	main()
}

// TestScripts runs the command as its users do: one script a verb.
func TestScripts(t *testing.T) {
	redis := redistest.Start(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"mode":   mode,
			"key":    keyID,
			"age":    age,
			"record": cutRecord,
			"mint":   mint,
			"json":   jsonHas,
			"node":   reportNode,
			"redis": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Setenv(args[0], startRedis(ts, t, args).Addr)
			},
			"belongs": belongs,
			"waits":   waits,
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("GODEBUG", os.Getenv("GODEBUG"))
			e.Setenv("GORACE", os.Getenv("GORACE"))
			e.Setenv("REDIS", "redis://"+redis.Addr+"?prefix=")
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "fips":
				return fips140.Enforced(), nil
			case "root":
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("no such condition: %s", name)
		},
	})
}

// redis VARIABLE [OFF] starts a server of its own, whose clock may be off.
func startRedis(ts *testscript.TestScript, t *testing.T, args []string) *redistest.Server {
	if len(args) == 1 {
		return redistest.Start(t)
	}
	off, err := time.ParseDuration(args[1])
	ts.Check(err)
	return redistest.Skewed(t, off)
}

// belongs USER FILE gives a file away, which takes root.
func belongs(ts *testscript.TestScript, _ bool, args []string) {
	uid, err := strconv.Atoi(args[0])
	ts.Check(err)
	ts.Check(os.Chown(ts.MkAbs(args[1]), uid, uid))
}

// exits CODE COMMAND...
func exits(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := new(exec.ExitError)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// waits FILE TEXT until a command in the background has written the text.
func waits(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got, err := os.ReadFile(ts.MkAbs(args[0])) // an error is a file that is to come
		if strings.Contains(string(got), args[1]) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s has no %q: %v %s", args[0], args[1], err, got)
		}
	}
}

// mode PERMISSIONS FILE
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// key VARIABLE RING STATE sets the variable to the id of the newest such key.
func keyID(ts *testscript.TestScript, _ bool, args []string) {
	set, err := keys.Source{Path: ts.MkAbs(args[1])}.Load(context.Background())
	ts.Check(err)
	ts.Setenv(args[0], "")
	for _, k := range set.Keys() {
		if k.State == args[2] {
			ts.Setenv(args[0], k.ID)
		}
	}
	if ts.Getenv(args[0]) == "" {
		ts.Fatalf("no key is %s", args[2])
	}
}

var (
	times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	sum   = regexp.MustCompile(`"sha256": "[^"]*"`)
)

// age RING DURATION makes all that happened to a ring happen earlier.
func age(ts *testscript.TestScript, _ bool, args []string) {
	d, err := time.ParseDuration(args[1])
	ts.Check(err)
	doc := times.ReplaceAllStringFunc(ts.ReadFile(args[0]), func(s string) string {
		at, err := time.Parse(time.RFC3339, s)
		ts.Check(err)
		return at.Add(-d).Format(time.RFC3339)
	})
	writeRing(ts, args[0], doc)
}

// writeRing makes the checksum of a ring right again.
func writeRing(ts *testscript.TestScript, name, doc string) {
	_, inner, _ := strings.Cut(doc, `"ring": `)
	hash := sha256.Sum256([]byte(strings.TrimSuffix(inner, "\n}\n")))
	doc = sum.ReplaceAllString(doc, `"sha256": "`+base64.RawURLEncoding.EncodeToString(hash[:])+`"`)
	ts.Check(os.WriteFile(ts.MkAbs(name), []byte(doc), 0o600))
}

// record RING from N | to N | unsigned does to a record what nobody should.
func cutRecord(ts *testscript.TestScript, _ bool, args []string) {
	head, inner, _ := strings.Cut(ts.ReadFile(args[0]), `"ring": `)
	var ring map[string]any
	d := json.NewDecoder(strings.NewReader(strings.TrimSuffix(inner, "\n}\n")))
	d.UseNumber()
	ts.Check(d.Decode(&ring))
	record := ring["record"].([]any)
	if args[1] == "unsigned" {
		record[len(record)-1].(map[string]any)["by"] = ""
	} else {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		if record = record[:n]; args[1] == "from" {
			record = ring["record"].([]any)[n:]
		}
	}
	ring["record"] = record
	text, err := json.Marshal(ring)
	ts.Check(err)
	writeRing(ts, args[0], head+`"ring": `+string(text)+"\n}\n")
}

// mint RING FILE [-purpose P] [-subject S] [-ago D] [-life D] [-overflow REF] writes a
// token that "carnet issue" would not.
func mint(ts *testscript.TestScript, _ bool, args []string) {
	f := flag.NewFlagSet("mint", flag.ContinueOnError)
	purpose := f.String("purpose", "session", "")
	subject := f.String("subject", "alice", "")
	ago := f.Duration("ago", 0, "")
	life := f.Duration("life", time.Hour, "")
	overflow := f.String("overflow", "", "")
	ts.Check(f.Parse(args[2:]))
	set, err := keys.Source{Path: ts.MkAbs(args[0])}.Load(context.Background())
	ts.Check(err)
	ring, err := set.Ring()
	ts.Check(err)
	at := time.Now().Add(-*ago).Truncate(time.Second)
	data := `{"secret":"hunter2"}`
	if *overflow != "" {
		data = "null"
	}
	tok, err := ring.Seal(token.Claims{
		Binding:   token.Binding{Purpose: token.Purpose(*purpose), Issuer: "example.com", Audience: "web"},
		ID:        "AAAAAAAAAAAAAAAAAAAAAA",
		SessionID: "BBBBBBBBBBBBBBBBBBBBBB",
		Subject:   strings.ReplaceAll(*subject, `\e`, "\x1b"),
		StartedAt: at, IssuedAt: at, ExpiresAt: at.Add(*life), EndsAt: at.Add(max(*life, 12*time.Hour)),
		Raw: data, Overflow: *overflow,
	})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(tok+"\n"), 0o600))
}

// node URL GENERATION reports, as a node would, that it has a generation.
func reportNode(ts *testscript.TestScript, _ bool, args []string) {
	store, closeClient, err := redisring.Open(args[0])
	ts.Check(err)
	defer closeClient()
	generation, err := strconv.ParseUint(args[1], 10, 64)
	ts.Check(err)
	ts.Check(store.Report(context.Background(), keystore.Report{Generation: generation}))
}

// json FILE PATH VALUE compares the value at a path like 0.state or changes.len,
// where len is the length of a list.
func jsonHas(ts *testscript.TestScript, neg bool, args []string) {
	var v any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	d.UseNumber()
	ts.Check(d.Decode(&v))
	got, ok := descend(v, args[1])
	if same := ok && fmt.Sprint(got) == args[2]; same == neg {
		ts.Fatalf("%s of %s is %v", args[1], args[0], got)
	}
}

func descend(v any, path string) (any, bool) {
	for _, step := range strings.Split(path, ".") {
		list, isList := v.([]any)
		switch i, err := strconv.Atoi(step); {
		case isList && step == "len":
			return len(list), true
		case isList && err == nil && i < len(list):
			v = list[i]
		default:
			object, _ := v.(map[string]any)
			var ok bool
			if v, ok = object[step]; !ok {
				return nil, false
			}
		}
	}
	return v, true
}
