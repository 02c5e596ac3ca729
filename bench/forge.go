package main

import "strings"

// forge alters one character of what its tag or signature covers, or of the
// signature itself. The form stays right.
func forge(tok string) string {
	b := []byte(tok)
	i := len(b) - 12
	if strings.HasPrefix(tok, "v4.") {
		i = len(b) / 2 // a footer may be at the end
	}
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

// garbage is text of the alphabet of tokens.
func garbage(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[i*7%len(alphabet)]
	}
	return string(b)
}
