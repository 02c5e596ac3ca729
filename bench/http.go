package main

import (
	"context"
	"net/http"
	"net/http/httptest"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/jwtauth/v5"
	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// A site is a chi router with one route, and the cookie of a user's session.
type site struct {
	name    string
	handler http.Handler
	cookie  string // "name=value"
}

// answer ends a request as all sites do.
func answer(w http.ResponseWriter, name string) {
	if name == "" {
		http.Error(w, "who?", http.StatusUnauthorized)
		return
	}
	w.Write([]byte("ok"))
}

func route(h http.HandlerFunc, with ...func(http.Handler) http.Handler) http.Handler {
	r := chi.NewRouter()
	r.With(with...).Get("/me", h)
	return r
}

const (
	noData         = ", data not asked for"
	bareSite       = "bare chi"
	bareCookieSite = "bare chi, same cookie sent"
	plainData      = ", data without slices"
	carnetHotSite  = ours
	noCache        = ", no cache"
	jwtauthSite    = "jwtauth HS256"
	scsRedisSite   = "scs Redis"
	existsSite     = "golang-jwt HS256 + Redis EXISTS"
)

// sites returns the same page behind each kind of session.
func sites(data user, rdb *redis.Client) []site {
	bare := route(func(w http.ResponseWriter, r *http.Request) { answer(w, "nobody") })
	hot := carnetSite[user](carnetHotSite, keys.JWT, data, 32<<20, userName)
	all := []site{
		{bareSite, bare, ""},
		{bareCookieSite, bare, hot.cookie},
		hot,
		carnetSite[flat](carnetHotSite+plainData, keys.JWT, data, 32<<20, flatName),
		carnetSite[struct{}](carnetHotSite+noData, keys.JWT, data, 32<<20, subjectAlone),
		carnetSite[user](ours+noCache, keys.JWT, data, 0, userName),
		carnetSite[user](oursPASETO+noCache, keys.PASETO, data, 0, userName),
	}
	for _, p := range append(append(golangJWT(), goJose(), jwxNested(), secureCookie()), goPaseto()...) {
		all = append(all, peerSite(p, data, nil))
	}
	all = append(all, gorillaSite(data))
	golang := golangJWT()[0]
	exists := peerSite(golang, data, func(ctx context.Context) bool {
		return rdb.Exists(ctx, "revoked:"+tokenID).Val() == 0
	})
	exists.name = existsSite
	return append(all, exists, jwtauthHS256(data),
		scsSite(scsName, newSCS(memstore.NewWithCleanupInterval(0)), data),
		scsSite(scsRedisSite, newSCS(goredisstore.New(rdb)), data))
}

// carnetSite issues to Sessions of the whole data, and reads with a Guard of T.
func carnetSite[T any](name string, f keys.Format, data user, cache int, who func(*http.Request) string) site {
	ring := newRing(f)
	ring.SetCache(cache)
	tok, _, err := token.NewIssuer[user](ring, config).Issue(subject, data)
	check(err)
	guard := chimw.NewGuard(token.NewVerifier[T](ring, config), chimw.Config{Revocation: denylist()})
	return site{name, route(func(w http.ResponseWriter, r *http.Request) {
		answer(w, who(r))
	}, guard.Require), "__Host-session=" + tok}
}

// These are no generic function: FromContext is not inlined in one.

func userName(r *http.Request) string {
	s, _ := chimw.FromContext[user](r.Context())
	return s.Data().Name
}

func flatName(r *http.Request) string {
	s, _ := chimw.FromContext[flat](r.Context())
	return s.Data().Name
}

func subjectAlone(r *http.Request) string {
	s, _ := chimw.FromContext[struct{}](r.Context())
	return s.Subject
}

type contextKey struct{}

// peerSite is what a program does that has a library for tokens and none for
// sessions.
func peerSite(p peer, data user, good func(context.Context) bool) site {
	mw := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := r.Cookie("session")
			if err != nil {
				http.Error(w, "no session", http.StatusUnauthorized)
				return
			}
			u, err := p.verify(c.Value)
			if err != nil || good != nil && !good(r.Context()) {
				http.Error(w, "bad session", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, &u)))
		})
	}
	return site{p.name, route(func(w http.ResponseWriter, r *http.Request) {
		answer(w, r.Context().Value(contextKey{}).(*user).Name)
	}, mw), "session=" + must(p.issue(data))}
}

// gorillaSite gives the request to the store, which looks for its cookie itself.
func gorillaSite(data user) site {
	store := newCookieStore()
	return site{gorillaName, route(func(w http.ResponseWriter, r *http.Request) {
		u, err := sessionData(store, r)
		if err != nil {
			http.Error(w, "bad session", http.StatusUnauthorized)
			return
		}
		answer(w, u.Name)
	}), "session=" + must(gorillaPeer(store).issue(data))}
}

// jwtauthHS256 leaves the data as the map that jwtauth gives it, which spares it a
// decode into the type.
func jwtauthHS256(data user) site {
	ja := jwtauth.New("HS256", secret32(), nil)
	c := newClaims(data)
	_, tok, err := ja.Encode(map[string]any{"iss": c.Issuer, "aud": c.Audience, "sub": c.Subject, "sid": c.SessionID,
		"jti": c.ID, "iat": c.IssuedAt, "nbf": c.NotBefore, "exp": c.ExpiresAt, "data": c.Data})
	check(err)
	return site{jwtauthSite, route(func(w http.ResponseWriter, r *http.Request) {
		_, claims, _ := jwtauth.FromContext(r.Context())
		data, _ := claims["data"].(map[string]any)
		name, _ := data["name"].(string)
		answer(w, name)
	}, jwtauth.Verify(ja, jwtauth.TokenFromCookie), jwtauth.Authenticator(ja)), "jwt=" + tok}
}

func scsSite(name string, m *scs.SessionManager, data user) site {
	tok := must(scsPeer(name, m).issue(data))
	return site{name, route(func(w http.ResponseWriter, r *http.Request) {
		u, err := scsData(r.Context(), m)
		check(err)
		answer(w, u.Name)
	}, m.LoadAndSave), "session=" + tok}
}

// request returns what a browser sends to a site.
func (s site) request(url string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, url, nil)
	r.RequestURI = ""
	if s.cookie != "" {
		r.Header.Set("Cookie", s.cookie)
	}
	return r
}

const (
	recorderGroup = "chi"
	loopbackGroup = "loopback"
)

// inProcess serves one request after the other into a recorder.
func (s site) inProcess(w work) *row {
	r := s.request("http://example.com/me")
	return &row{group: recorderGroup + " " + w.name, name: s.name, op: func() {
		rec := httptest.NewRecorder()
		s.handler.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK {
			panic(s.name + " refuses its own session")
		}
	}}
}

// overLoopback serves over TCP, on one connection that is kept alive. The client
// is in the same process, so its work is in every row.
func (s site) overLoopback(w work) (*row, func()) {
	client := serve(s.handler)
	return &row{group: loopbackGroup + " " + w.name, name: s.name, op: func() { client.getWith(s.cookie) }, after: client.redial}, client.close
}
