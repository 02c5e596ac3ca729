package paseto

import "strings"

const (
	// The text before the id is a multiple of three bytes long, so its base64 is
	// the same in every token.
	footerBeforeID = `{"kid":"k4.lid.`
	footerAfterID  = `"}`

	labelLen  = ((len(footerBeforeID)+idTextLen+len(footerAfterID))*8 + 5) / 6
	prefixLen = len(footerBeforeID) / 3 * 4

	// The least that can stand before the label: a nonce and a tag.
	sealedLen = len(localHeader) + ((localNonceSize+localTagSize)*8+5)/6 + len(".")
)

var labelPrefix = b64.EncodeToString([]byte(footerBeforeID))

// Label cuts out of tok the part that names its key: the encoded footer at its
// end. It reports false if tok can't be one of ours. It looks at the two ends of
// tok, however long that is, and allocates nothing.
func Label(tok string) (string, bool) {
	at := len(tok) - labelLen
	if at < sealedLen || tok[at-1] != '.' || tok[at:at+prefixLen] != labelPrefix || !strings.HasPrefix(tok, localHeader) {
		return "", false
	}
	return tok[at:], true
}

// LabelID returns the key id in a label, for a key that the caller does not
// have. It reports false if the label has another form than ours.
func LabelID(label string) (id string, ok bool) {
	if len(label) != labelLen {
		return "", false
	}
	footer, ok := appendDecoded(nil, []byte(label))
	if !ok {
		return "", false
	}
	text, before := strings.CutPrefix(string(footer), footerBeforeID)
	text, after := strings.CutSuffix(text, footerAfterID)
	if _, ok = appendDecoded(nil, []byte(text)); !ok || !before || !after {
		return "", false
	}
	return paserkLocal.idHeader + text, true
}

func footerOf(id string) []byte { return []byte(`{"kid":"` + id + `"}`) }
