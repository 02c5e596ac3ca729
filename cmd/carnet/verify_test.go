package main

import (
	"bufio"
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

var testConfig = token.Config{Issuer: "example.com", Audience: "web"}

func newVerifier(t *testing.T) (*token.Verifier[struct{}], *keys.Ring) {
	t.Helper()
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	return token.NewVerifier[struct{}](ring, testConfig), ring
}

// endless is one line of n letters.
func endless(n int64) io.Reader {
	return io.LimitReader(letters{}, n)
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestVerifyHugeLineTakesNoMemory(t *testing.T) {
	verifier, _ := newVerifier(t)
	var out bytes.Buffer
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := new(verifyVerb).answerAll(endless(256<<20), &out, verifier)
	runtime.ReadMemStats(&after)
	if got := out.String(); got != "reject too large\n" || err == nil {
		t.Errorf("answer %q, error %v", got, err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("a line of 256 MiB took %d bytes of memory", took)
	}
}

// Each answer is written before the next question is read: a program can hold a
// conversation.
func TestVerifyAnswersAtOnce(t *testing.T) {
	verifier, ring := newVerifier(t)
	tok, _, err := token.NewIssuer[struct{}](ring, testConfig).Issue("alice", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	in, ask := io.Pipe()
	pipe, out := io.Pipe()
	answers := bufio.NewReader(pipe)
	done := make(chan error)
	go func() { done <- new(verifyVerb).answerAll(in, out, verifier) }()
	for _, q := range []struct{ question, answer string }{
		{tok, "accept\n"}, {"", "reject malformed\n"}, {tok, "accept\n"},
		{strings.Repeat("a", 1<<20), "reject too large\n"},
	} {
		io.WriteString(ask, q.question+"\n")
		if got, err := answers.ReadString('\n'); err != nil || got != q.answer {
			t.Errorf("answer %q, want %q (%v)", got, q.answer, err)
		}
	}
	ask.Close()
	if err := <-done; err == nil || err.Error() != "2 of 4 tokens rejected" {
		t.Errorf("error %v", err)
	}
}

// down is an Opener that can't tell.
type down struct{}

func (down) Open(string, token.Binding) (token.Claims, error) {
	return token.Claims{}, io.ErrUnexpectedEOF
}

func TestVerifyCouldNotTell(t *testing.T) {
	var out bytes.Buffer
	verifier := token.NewVerifier[struct{}](down{}, testConfig)
	err := new(verifyVerb).answerAll(strings.NewReader("x\n"), &out, verifier)
	if err == nil || !strings.Contains(err.Error(), "could not tell about line 1") || out.Len() > 0 {
		t.Errorf("error %v, answer %q", err, &out)
	}
}
