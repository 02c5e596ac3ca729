// Package chimw carries sessions over HTTP.
//
// Use [New] on a node where people log in, and [NewGuard] on one that only reads
// sessions. Both give middlewares of the type func(http.Handler) http.Handler,
// for chi, for [http.ServeMux] and for any other router:
//
//	r.Post("/login", login)                          // calls sessions.Login
//	r.With(sessions.Load).Get("/", home)             // with or without a session
//	r.With(sessions.Require).Get("/me", me)          // 401 without one
//	r.Post("/logout", logout)                        // calls sessions.Logout
//
// A handler finds the session with [FromContext].
//
// # Answers
//
// A refused request gets one of three answers, and each has one meaning:
//
//	401  log in: there is no session, or it is not to be believed
//	403  the request comes from another site's page
//	503  try again: whether the session is good could not be found out
//
// The body says no more than that. The operator gets the reason by
// [Config].Report. A cookie is never deleted by a refusal: an outage must not
// look like a logout. Without a token in the request the revocation list is not
// asked, nor for a token that the key ring refuses.
//
// A session whose data the program's type can't take any more
// ([token.ErrData]) is no session: 401, or nobody with Load. Package token says
// how to go on reading it.
//
// A 401 names no scheme in WWW-Authenticate, as RFC 9110 section 11.6.1 wants
// it, unless Config.Bearer is set: there is none for cookies.
//
// A list that answers from a copy knows how old that is, and a route can say how
// old it may be, and what happens beyond: see [Guard.With] and package freshness.
//
// # The cookie
//
// The browser is told to keep it to this host, to https and away from scripts
// (the prefix __Host-, RFC 6265bis section 4.1.3.2), and not to send it with
// requests from other sites except when a link is followed. It goes when the
// browser is closed, unless the session may idle for more than a day. A [Cookie]
// says otherwise. A token in a URL is never read.
//
// It is one cookie of at most 4,096 bytes. Data that does not fit goes to the store of
// Config.Overflow. If there is none it is an error before anything is written, a
// [*token.SizeError] that names the largest members; nothing is cut, and there are no
// chunks that could get mixed.
//
// A request with two cookies of the name is refused: one of them may have been
// planted, and the order says nothing about which.
//
// # Login, other rights, logout
//
// Login starts a session under a new id, and takes the one that the request came
// with back. So does Elevate, which keeps the data, and Reauthenticate, for a user
// whose password was checked once more. Logout ends this session, LogoutOthers all
// others of its subject, and LogoutEverywhere both. None of them can be undone by a
// response that is in flight, but by one that logs in: that session has just begun.
//
// Visitors who have not logged in have Sessions of their own, with another audience
// and another cookie, so that nothing behind the Require of users lets a visitor
// pass. At the login the handler says what becomes of the visit: it copies what is
// to be kept from one session's data to the other's, and calls Logout of the
// visitors or does not. Give each visitor a subject of his own, as LogoutEverywhere
// is about a subject.
//
// # Other sites
//
// Requests with a cookie are checked by [http.CrossOriginProtection], unless the
// method is GET, HEAD or OPTIONS: mount nothing that changes anything on these,
// and no logout. An Upgrade is checked whatever its method, as a page of another
// site could talk over the connection with the user's session.
//
// # Caches
//
// A response that sets or clears the cookie has Cache-Control: no-store. The
// headers are set before the handler runs, because the ResponseWriter is never
// wrapped; a handler that says otherwise gives a shared cache somebody's token. The
// errors of http.FileServer and http.ServeContent do: have files behind [Guard.Require],
// which renews nothing.
// Say no-store yourself on pages that show what is the user's: the browser keeps
// others, and its back button shows them after a logout.
// Require and Load also add Vary: Cookie, so that a cache keeps people apart if
// a handler forgets to.
//
// # What is not checked
//
// Whether the bearer is the one who logged in: a stolen token is good until it
// is revoked or expires. Whether a handler that never looks at its context stops
// when the session does.
//
// # Long responses
//
// The context of a request is cancelled when a new request with the same token
// would be refused: within a second of a logout, here or on another node as soon as
// this one knows, of the end of the token, of the key's being revoked, and of the
// copy of the denylist growing older than the route allows. So server-sent events,
// WebSockets and downloads end that watch their context. [context.Cause] says why:
// an error that wraps [token.ErrInvalid] is the end of the session, any other but
// [context.Canceled] that nobody could tell. Config.Report gets it when the handler
// has returned. What a handler does itself to the session (Login, Elevate, Logout)
// is no reason.
//
// A stream does not keep its session alive. It ends with the token that it began
// with, though the browser may have a newer one by then, and can begin anew.
//
// Nothing watches until somebody calls Done or Err of the context, or makes another
// from it, and a request that is answered at once pays nothing. A stream has a timer,
// about 750 bytes in all, and no goroutine.
//
// # Requests at the same time
//
// The browser sends back the last cookie that it got. So of two requests that change
// a session at the same time the last response wins, be the change an Update or a
// renewal, and the change of the other is lost. An Update that changes nothing sets
// no cookie, and undoes nothing. What must not be lost, a counter or a cart that two
// tabs write to, belongs into a database. A route can refuse a cookie that is older
// than one it has seen: see [Guard.RequireLatest].
package chimw
