package reason

import (
	"log/slog"
	"net/http"
)

// Log returns a function for Config.Report that logs each reason to l, with the
// method and the pattern of the route if the router sets one. It logs neither the
// URL nor a header, which may have secrets. Nil means [slog.Default].
//
// A request without a token is for debugging. What nobody can bring about by waiting
// or logging out is a warning: a token that is not authentic, two tokens, another
// origin, an old refresh token. What says nothing about the token is an error.
func Log(l *slog.Logger) func(r *http.Request, err error) {
	if l == nil {
		l = slog.Default()
	}
	return func(r *http.Request, err error) {
		why := Of(err)
		l.LogAttrs(r.Context(), why.level(), "session refused",
			slog.String("reason", string(why)),
			slog.String("method", r.Method),
			slog.String("route", r.Pattern),
			slog.String("error", err.Error()))
	}
}

func (r Reason) level() slog.Level {
	switch r {
	case NoToken:
		return slog.LevelDebug
	case NotAuthentic, TwoTokens, CrossOrigin, OtherBinding, UnusableClaims, Reused, DataAltered:
		return slog.LevelWarn
	case ViewTooOld, CouldNotTell:
		return slog.LevelError
	}
	return slog.LevelInfo
}
