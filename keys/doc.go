// Package keys says who may mint a session token and who may only read it.
//
// Use [Open] on a node where people log in, and [OpenVerifyOnly] on every other.
// The carnet command makes, rotates and exports the files.
//
// One key is one generation: an Ed25519 pair and a 32-byte sealing secret under
// one id. The key decides the format and the algorithms of its tokens, never the
// token: moving from [JWT] to [PASETO] is a rotation.
//
// # States
//
// A [Set] always has exactly one active key, which mints, and one pre-published
// key, which mints next. A rotation makes the pre-published key active and
// pre-publishes a fresh one. So a node mints only with keys that every other
// node received one rotation earlier: no node meets a token whose key it lacks,
// and no clocks are compared.
//
// A retired key still opens its tokens, until [Set.Prune] removes it. A revoked
// key opens nothing, at once; its secrets are erased.
//
// # What is secret
//
// A ring file can mint sessions for anybody. A verify-only file can't, but it
// can read every token; it is secret too. Package kek has the key that a ring is
// sealed under at rest, which the environment names unless a [Source] does. No type
// of this package prints a secret, with any fmt verb or as JSON.
package keys
