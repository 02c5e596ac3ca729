package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"time"
	"unsafe"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

const (
	cacheSize = 32 << 20
	fitting   = 20_000  // the last size of which all sessions fit the cache
	filling   = 25_000  // more than fit the cache
	distinct  = 100_000 // tokens that are asked for, of the largest sizes too

	cookieBefore = "__Host-session="
)

// batch is how many headers are read before their requests are served. A server
// has just read the token when it verifies it, so it is near the processor; here
// it comes out of a hundred megabytes of tokens, which takes as long as a hit.
const batch = 64

// A crowd are live sessions, whose requests come one after the other.
type crowd struct {
	toks    []string
	order   []int
	next    int
	headers [batch][]byte
	at      int
}

// newCrowd has each session come as often as the others, in a fixed order that is
// no order of their places: nothing can guess who comes next, and with more sessions
// than fit a cache that keeps the latest would never hit.
func newCrowd(toks []string) *crowd {
	c := &crowd{toks: toks, order: rand.Perm(len(toks))}
	c.read()
	return c
}

// read reads the headers of the next requests.
func (c *crowd) read() {
	for i := range c.headers {
		c.headers[i] = append(append(c.headers[i][:0], cookieBefore...), c.toks[c.order[c.next]]...)
		c.next = (c.next + 1) % len(c.order)
	}
	c.at = 0
}

// header returns the next header. It is good until the next read.
func (c *crowd) header() string {
	h := c.headers[c.at]
	c.at = (c.at + 1) % batch
	return unsafe.String(unsafe.SliceData(h), len(h))
}

// verifies is the verification alone, with the denylist.
func (c *crowd) verifies(v *token.Verifier[flat]) *row {
	return &row{before: c.read, op: func() {
		s, err := v.Verify(c.header()[len(cookieBefore):])
		check(err)
		check(denylist().Check(context.Background(), s.Claims))
	}}
}

// requests is the same in a request to a chi handler, in process.
func (c *crowd) requests(v *token.Verifier[flat]) *row {
	handler := crowdHandler(v)
	r := httptest.NewRequest(http.MethodGet, "http://example.com/me", nil)
	cookie := []string{""}
	r.Header["Cookie"] = cookie
	return &row{before: c.read, op: func() {
		cookie[0] = c.header()
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK {
			panic(rec.Code)
		}
	}}
}

// overLoopback is a whole request, on a connection that is kept alive.
func (c *crowd) overLoopback(v *token.Verifier[flat]) *row {
	client := serve(crowdHandler(v))
	return &row{before: c.read, after: client.redial, op: func() { client.getWith(c.header()) }}
}

func crowdHandler(v *token.Verifier[flat]) http.Handler {
	guard := chimw.NewGuard(v, chimw.Config{Revocation: denylist()})
	return route(func(w http.ResponseWriter, r *http.Request) {
		s, _ := chimw.FromContext[flat](r.Context())
		answer(w, s.Data().Name)
	}, guard.Require)
}

// How a hit is measured: alone, and as a part of more and more.
var hitKinds = []struct {
	name string
	row  func(*crowd, *token.Verifier[flat]) *row
	long time.Duration // a slice, in those of the plan
}{
	{"verify", (*crowd).verifies, 1},
	{"request in process", (*crowd).requests, 4}, // or some had a collection and some had none
	{"request over loopback", (*crowd).overLoopback, 1},
}

// sessionGrowth measures how the number of live sessions shows, by two curves for each
// kind: with a cache and without. The sizes that fit come before the others, which would
// have the collector go through far more than a node has.
func (p plan) sessionGrowth() []curve {
	ring := newRing(keys.JWT)
	var curves []curve
	for _, k := range hitKinds {
		curves = append(curves, curve{name: k.name}, curve{name: k.name + noCache})
	}
	p.addSizes(curves, ring, tokens(ring, fitting), 10, 100, 1_000, 3_000, 10_000, fitting)
	p.addSizes(curves, ring, tokens(ring, distinct+filling), 50_000, distinct, 1_000_000, 10_000_000)
	return curves
}

// addSizes measures sizes. Of those that are larger than the tokens there are it takes that
// nobody comes back before he was forgotten, and that the cache is full of others: the
// worst that can be.
func (p plan) addSizes(curves []curve, ring *keys.Ring, toks []string, sizes ...int) {
	come := toks[:min(len(toks), distinct)]
	cold := token.NewVerifier[flat](ringLike(ring, 0), config)
	var hot []*token.Verifier[flat]
	for _, n := range sizes {
		v := token.NewVerifier[flat](ringLike(ring, cacheSize), config)
		fill(v, toks[:min(n, len(toks))], toks[len(come):])
		hot = append(hot, v)
	}
	for k, kind := range hitKinds {
		rows := []*row{kind.row(newCrowd(come), cold)}
		for i, n := range sizes {
			rows = append(rows, kind.row(newCrowd(come[:min(n, len(come))]), hot[i]))
		}
		plan{p.slices, p.slice * kind.long}.measure(rows)
		with, without := &curves[2*k], &curves[2*k+1]
		for i, n := range sizes {
			with.points = append(with.points, point{float64(n), rows[1+i].low()})
			without.points = append(without.points, point{float64(n), rows[0].low()})
		}
	}
}

// fill has the cache know as many of the sessions as fit. If there are more than
// tokens, others fill it.
func fill(v *token.Verifier[flat], toks, others []string) {
	if len(toks) > distinct {
		toks = others
	}
	for range 2 {
		for _, tok := range toks[:min(len(toks), filling)] {
			must(v.Verify(tok))
		}
	}
}

// sessionBounds says how the curves keep to what they are held against: flat up to the
// last size that fits, and no dearer beyond it than without a cache.
func sessionBounds(curves []curve) (text string) {
	for k := 0; k+1 < len(curves); k += 2 {
		hot, cold := curves[k], curves[k+1]
		fits, beyond := 0.0, 0.0
		for i, p := range hot.points {
			if p.x <= fitting {
				fits = max(fits, p.cost/hot.points[0].cost)
			} else {
				beyond = max(beyond, p.cost/cold.points[i].cost)
			}
		}
		text += fmt.Sprintf("- %s: up to %s sessions, which fit the cache, at most %.2f times what it costs with %s (bound 1.5: %s); beyond, at most %.3f times what it costs without a cache (bound 1: %s)\n",
			hot.name, count(fitting), fits, count(hot.points[0].x), kept(fits, 1.5), beyond, within(beyond, 1))
	}
	return text + "\n"
}

// noise is how far two measurements of one thing are apart, usually.
const noise = 0.03

func within(v, bound float64) string {
	if v > bound && v <= bound+noise {
		return "holds within the noise of 3 %"
	}
	return kept(v, bound)
}

func kept(v, bound float64) string {
	if v <= bound {
		return "holds"
	}
	return "**does not hold**"
}
