// Package token says what a session is.
//
// Use [NewIssuer] where people log in and [NewVerifier] everywhere else. Both
// take a key ring: an issuer needs a [Sealer], which can mint; a verifier is
// content with an [Opener], which cannot. Package keys provides both.
//
//	issuer := token.NewIssuer[User](ring, token.Config{Issuer: "example.com", Audience: "web"})
//	tok, session, err := issuer.Issue("alice", User{Name: "Alice"})
//
//	verifier := token.NewVerifier[User](verifyRing, token.Config{Issuer: "example.com", Audience: "web"})
//	session, err = verifier.Verify(tok)
//
// # What a token promises
//
// A token that [Verifier.Verify] accepts was sealed by a holder of the ring, for
// this purpose, issuer and audience, is within its times, and has not been
// altered by one character. It was neither asked whether the session has been
// taken back (package revocation does) nor whether the bearer is the one it was
// given to: a stolen token is a valid token until it is revoked or expires.
//
// # Data over time
//
// The type of the data may change while sessions live, and while old and new
// nodes run side by side. A member that a node's type does not know is kept
// through its renewals; one that a token does not have is the zero value.
//
// Data that the type can't take at all is [ErrData], of the family of
// [ErrInvalid]: the user has to log in again. A program that would rather go on
// gives the type an UnmarshalJSON method that takes the old form too. If that
// form stays beside the new one, the method must prefer the new.
//
// # Errors
//
// Whatever is wrong with a token wraps [ErrInvalid]: tell the bearer to log in
// again. Every other error means that the answer could not be found; it is never
// to be read as a yes, nor as a no.
package token
