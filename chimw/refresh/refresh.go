// Package refresh gives clients without cookies, such as mobile apps, programs and
// scripts, a short access token and a refresh token that is exchanged for the next
// pair:
//
//	tokens := refresh.New[User](ring, config, refresh.Config{Store: store, Revocation: denied})
//	r.Post("/login", login)                   // calls tokens.Login
//	r.Method("POST", "/refresh", tokens)
//	r.With(guard.Require).Get("/me", me)      // a chimw.Guard with Bearer
//
// An access token is an ordinary session token. Whoever reads those needs nothing of
// this package. Both kinds carry the id of one session, so a logout by either ends both.
//
// # Rotation
//
// A refresh token has a generation, a number that the store counts up for each
// session. It holds nothing else: no token and no part of one. Within [Config].Grace of
// a generation's making the one before it, and it itself, get that same generation. So a
// hundred requests at a time with one token, and a request whose response was lost, end
// up with what is the same token but for its times. Later an old generation is proof
// that two parties hold the session's tokens. Which is the thief nobody can tell, so the
// session dies: no refresh is believed any more, and a mark in the revocation list ends
// its access tokens on every node.
//
// What this does not notice is a thief whose victim never refreshes again, and one who
// refreshes in the same Grace as his victim. A stolen access token is good until it
// expires or the session is revoked.
//
// # When the store is away
//
// A store that is away or that does not answer in time is a 503: nobody is logged out,
// and nobody gets a token. If it has counted and its answer got lost, the client comes
// again with the old token, perhaps only when the outage is over: so on a node that saw
// it the Grace is longer by as long as the outage lasted, until another Grace has passed.
//
// # When the store has forgotten
//
// A store that was emptied, or that was set back, knows less of a session than a genuine
// token proves. Then it can't be told whether the token was used before. One that was
// issued no longer ago than [Config].Access and Grace is taken, as it can only have been
// replaced by a client that refreshed early, and the chain goes on from there. An older
// one is refused. Its session is not revoked, but it needs a new login. So those who
// were active stay, and an old copy of a token helps nobody, with one exception: a store
// that was set back takes the token that was the newest then, until the chain shows that
// it was not.
package refresh

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/carnet-go/carnet/internal/start"
	"github.com/carnet-go/carnet/token"
)

// Tokens hands out pairs of tokens. It is an [http.Handler] for POST /refresh. It is
// safe for concurrent use.
type Tokens[T any] struct {
	sealer   token.Sealer
	issuer   *token.Issuer[T]   // of access tokens
	verifier *token.Verifier[T] // of refresh tokens
	policy   token.Config
	config   Config
	outage   outage
}

// spare is what a refresh token may be longer than the access token with the same data.
const spare = 64

// New returns Tokens that mint with s. Lifetime of p is how long a session may idle,
// and MaxAge when it ends; the nodes that take access tokens have the same policy. Give
// an API an Audience of its own: sent as a cookie to Sessions of the same audience an
// access token would be renewed. It panics if p or c is not usable.
func New[T any](s token.Sealer, p token.Config, c Config) *Tokens[T] {
	issuer := token.NewIssuer[T](s, p)
	p, c = issuer.Verifier().Config(), c.withDefaults()
	if err := c.check(p); err != nil {
		panic(err.Error())
	}
	return &Tokens[T]{
		sealer:   s,
		issuer:   issuer.Lasting(c.Access, p.MaxAge).Fitting(token.MaxSize - spare),
		verifier: issuer.Verifier().For(token.PurposeRefresh),
		policy:   p,
		config:   c,
	}
}

// Login starts a session of subject, whose password or the like the caller has just
// checked. Both tokens carry data, which stays as it is for as long as the session
// lives. A [*token.SizeError] says that it does not fit. It needs the store. Marks that
// are there already came before it, as with [chimw.Sessions.Issue].
func (t *Tokens[T]) Login(ctx context.Context, subject string, data T) (Pair, error) {
	access, s, err := start.Issue(ctx, t.config.Revocation, t.issuer, subject, data)
	if err != nil {
		return Pair{}, fmt.Errorf("log in: %w", err)
	}
	refresh, err := t.seal(s.Claims, token.PurposeRefresh, t.policy.Lifetime)
	if err == nil {
		err = t.put(ctx, &s.Claims)
	}
	if err != nil {
		return Pair{}, fmt.Errorf("log in: %w", err)
	}
	return newPair(access, refresh, &s.Claims), nil
}

// Refresh returns the pair that follows a refresh token. An error wraps
// [token.ErrInvalid] if the client has to log in again: the token is not to be
// believed, its session was revoked, has ended or idled, or [ErrReused]. Any other
// error means that it could not be found out; the client keeps its tokens and tries
// again. It goes on when ctx is cancelled, as the client may hang up at any moment.
func (t *Tokens[T]) Refresh(ctx context.Context, tok string) (Pair, error) {
	ctx = context.WithoutCancel(ctx)
	s, err := t.believe(ctx, tok)
	if err != nil {
		return Pair{}, err
	}
	c := s.Claims
	generation, err := t.advance(ctx, &c)
	if errors.Is(err, ErrReused) {
		return Pair{}, t.end(ctx, c, err)
	}
	if err != nil {
		return Pair{}, err
	}
	c.Revision = generation
	return t.mint(c)
}

// Logout ends the session of a refresh token on every node that shares the revocation
// list, also that of an old token. An error wraps [token.ErrInvalid] if there is
// nothing to end; any other means that the list did not take the mark.
// chimw.Guard.Logout does the same by an access token.
func (t *Tokens[T]) Logout(ctx context.Context, tok string) error {
	c, err := t.verifier.Identify(tok)
	if err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	if err := t.revoke(context.WithoutCancel(ctx), c, ""); err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

// believe returns the session of a refresh token that is good, as far as can be told
// without its generation.
func (t *Tokens[T]) believe(ctx context.Context, tok string) (*token.Session[T], error) {
	s, err := t.verifier.Verify(tok)
	if err != nil {
		return nil, err
	}
	if !time.Now().Before(s.EndsAt) {
		return nil, token.ErrExpired // within the leeway; no token could follow
	}
	if err := t.config.Revocation.Check(ctx, s.Claims); err != nil {
		return nil, err
	}
	return s, nil
}

// mint seals both tokens of a generation. The id of the refresh token follows from the
// session and the generation: whoever gets it, on whichever node, gets the same.
func (t *Tokens[T]) mint(c token.Claims) (Pair, error) {
	access, err := t.seal(c, token.PurposeSession, t.config.Access)
	if err != nil {
		return Pair{}, err
	}
	refresh, err := t.seal(c, token.PurposeRefresh, t.policy.Lifetime)
	if err != nil {
		return Pair{}, err
	}
	c.IssuedAt, c.ExpiresAt = t.times(&c, t.config.Access)
	return newPair(access, refresh, &c), nil
}

func (t *Tokens[T]) seal(c token.Claims, p token.Purpose, life time.Duration) (string, error) {
	c.Purpose, c.ID = p, rand.Text()
	if p == token.PurposeRefresh {
		c.ID = refreshID(&c)
	}
	c.IssuedAt, c.ExpiresAt = t.times(&c, life)
	tok, err := t.sealer.Seal(c)
	if err != nil {
		return "", fmt.Errorf("mint %s token: %w", p, err)
	}
	return tok, nil
}

// times returns those of a token that is minted now.
func (t *Tokens[T]) times(c *token.Claims, life time.Duration) (issued, expires time.Time) {
	issued = time.Now().UTC().Truncate(time.Second)
	expires = issued.Add(life)
	if expires.After(c.EndsAt) {
		expires = c.EndsAt
	}
	return issued, expires
}

// refreshID is no secret from who knows the session id, and of no use without a token.
func refreshID(c *token.Claims) string {
	sum := sha256.Sum256([]byte("carnet: refresh token " + strconv.FormatInt(c.Revision, 10) + " of " + c.SessionID))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
