package token

import (
	"fmt"
	"time"
)

// Config is the policy that every node of a service shares.
type Config struct {
	// Issuer and Audience name who mints the tokens and who is to accept them.
	// Required. Two services that share a ring tell their tokens apart by these.
	Issuer, Audience string

	// Lifetime is how long a token lives without renewal, in whole seconds. It is
	// how long a session may idle: one that is used at least each half of it goes
	// on. Zero means 30 minutes. [Issuer.Lasting] sets another for some sessions.
	Lifetime time.Duration

	// MaxAge is how long any session can be kept alive by renewal after the login,
	// in whole seconds. Zero means 12 hours. A verifier refuses a token that
	// claims more: raise it on verifiers first, lower it on issuers first. A
	// Lifetime that is not shorter means that there is no renewal.
	MaxAge time.Duration

	// Leeway is how far two clocks may disagree. A token is taken this long
	// before it was issued and after it expired. Zero means one minute, the
	// maximum is five; negative means none.
	Leeway time.Duration

	// MaxSize is the most bytes a minted token may have. Zero means 4,040: one
	// cookie with the default name and attributes, 4,096 bytes together (RFC
	// 6265 section 6.1). The maximum is [MaxSize].
	MaxSize int
}

// MaxSize is the longest token that is ever minted or read, in bytes. It also
// keeps a request's header line below the 8 KiB that common proxies allow.
const MaxSize = 7800

// 4,096 less "__Host-session=" (15) and "; Path=/; HttpOnly; Secure; SameSite=Lax" (41).
const cookieSize = 4040

func (c Config) withDefaults() Config {
	if c.Lifetime == 0 {
		c.Lifetime = 30 * time.Minute
	}
	if c.MaxAge == 0 {
		c.MaxAge = 12 * time.Hour
	}
	if c.Leeway == 0 {
		c.Leeway = time.Minute
	}
	c.Leeway = max(c.Leeway, 0)
	if c.MaxSize == 0 {
		c.MaxSize = cookieSize
	}
	return c
}

func (c Config) check() error {
	switch {
	case c.Issuer == "" || c.Audience == "":
		return fmt.Errorf("token: Config needs an Issuer and an Audience")
	case !printable(c.Issuer) || !printable(c.Audience):
		return fmt.Errorf("token: Issuer and Audience must be at most %d bytes of printable text", maxName)
	case c.Lifetime < time.Second || c.Lifetime%time.Second != 0:
		return fmt.Errorf("token: Lifetime %v is not a positive number of seconds", c.Lifetime)
	case c.MaxAge < time.Second || c.MaxAge%time.Second != 0:
		return fmt.Errorf("token: MaxAge %v is not a positive number of seconds", c.MaxAge)
	case c.Leeway > 5*time.Minute:
		return fmt.Errorf("token: Leeway %v is more than five minutes: set the clocks instead", c.Leeway)
	case c.MaxSize < 0 || c.MaxSize > MaxSize:
		return fmt.Errorf("token: MaxSize %d is not within 0 to %d", c.MaxSize, MaxSize)
	}
	return nil
}

func mustConfig(c Config) Config {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		panic(err.Error())
	}
	return c
}

func (c *Config) binding() Binding {
	return Binding{Purpose: PurposeSession, Issuer: c.Issuer, Audience: c.Audience}
}
