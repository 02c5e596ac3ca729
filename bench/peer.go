package main

// A peer is one way to carry a session in a token.
type peer struct {
	name   string
	issue  func(data user) (string, error)
	verify func(tok string) (user, error) // cold: authenticity, issuer, audience, times, typed decode
	forget func(but string)               // drops all sessions that it keeps, but one; nil if it keeps none
}

// peers returns all of them, with fresh keys.
func peers() []peer {
	all := carnetPeers()
	all = append(all, golangJWT()...)
	all = append(all, goJose(), jwxNested())
	all = append(all, goPaseto()...)
	return append(all, secureCookie(), gorillaSessions(), scsMemory())
}
