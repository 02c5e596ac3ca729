package main

import (
	"encoding/hex"
	"net/url"
	"strings"
)

// addShapes adds what is wrong with a token as a whole, whatever its format.
func addShapes(l *list, good string) {
	half := len(good) / 2
	for name, tok := range inOrder(
		"empty", "",
		"space", " ",
		"nul", "\x00",
		"a-letter", "e",
		"dot", ".",
		"dots-2", "..",
		"dots-3", "...",
		"dots-4", "....",
		"dots-7799", strings.Repeat(".", 7799),
		"letters-7799", strings.Repeat("A", 7799),
		"space-before", " "+good,
		"space-after", good+" ",
		"tab-after", good+"\t",
		"line-feed-before", "\n"+good,
		"line-feed-after", good+"\n",
		"carriage-return-after", good+"\r",
		"crlf-after", good+"\r\n",
		"nul-before", "\x00"+good,
		"nul-after", good+"\x00",
		"nul-and-more-after", good+"\x00.more",
		"byte-order-mark-before", "\ufeff"+good,
		"zero-width-space-after", good+"\u200b",
		"no-break-space-after", good+"\u00a0",
		"byte-ff-after", good+"\xff",
		"bearer-before", "Bearer "+good,
		"quotes-around", quote(good),
		"single-quotes-around", "'"+good+"'",
		"brackets-around", "["+good+"]",
		"json-string-in-array", `["`+good+`"]`,
		"angle-brackets-around", "<"+good+">",
		"cookie-before", "__Host-session="+good,
		"semicolon-after", good+";",
		"comma-and-again", good+","+good,
		"tilde-after", good+"~",
		"twice", good+good,
		"twice-with-a-dot", good+"."+good,
		"dot-before", "."+good,
		"dot-after", good+".",
		"reversed", reversed(good),
		"upper-case", strings.ToUpper(good),
		"lower-case", strings.ToLower(good),
		"first-half", good[:half],
		"second-half", good[half:],
		"halves-swapped", good[half:]+good[:half],
		"without-first", good[1:],
		"without-last", good[:len(good)-1],
		"line-feed-in-the-middle", good[:half]+"\n"+good[half:],
		"space-in-the-middle", good[:half]+" "+good[half:],
		"percent-encoded", strings.ReplaceAll(good, ".", "%2E"),
		"query-escaped", url.QueryEscape(good+"="),
		"full-width-dots", strings.ReplaceAll(good, ".", "．"),
		"base64-of-it", enc(good),
		"hex-of-it", hex.EncodeToString([]byte(good)),
		"utf-16", utf16(good, false),
		"homoglyph", strings.Replace(good, "e", "е", 1),
	) {
		l.add("shape/"+name, malformed, tok)
	}
	for name, tok := range inOrder(
		"one-byte-too-many", strings.Repeat("A", 7801),
		"good-and-long", good+strings.Repeat("A", 7801-len(good)),
		"dots-10000", strings.Repeat(".", 10000),
		"spaces-and-good", strings.Repeat(" ", 8000)+good,
		"line-feeds", strings.Repeat("\n", 8000),
		"nuls", strings.Repeat("\x00", 9000),
	) {
		l.add("shape/"+name, tooLarge, tok)
	}
}

func reversed(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// utf16 writes ASCII in two bytes a character.
func utf16(s string, bigEndian bool) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if bigEndian {
			b.Write([]byte{0, c})
		} else {
			b.Write([]byte{c, 0})
		}
	}
	return b.String()
}

// base64Faults are the wrong ways to write a part of a token. The text must have
// 16 characters or more.
func base64Faults(text string) func(func(string, string) bool) {
	half := len(text) / 2
	return inOrder(
		"empty", "",
		"padded", text+"=",
		"padded-twice", text+"==",
		"line-feed-inside", text[:half]+"\n"+text[half:],
		"carriage-return-inside", text[:half]+"\r"+text[half:],
		"line-feed-at-end", text+"\n",
		"crlf-at-end", text+"\r\n",
		"space-inside", text[:half]+" "+text[half:],
		"tab-inside", text[:half]+"\t"+text[half:],
		"plus", text[:half]+"+"+text[half+1:],
		"slash", text[:half]+"/"+text[half+1:],
		"equals-inside", text[:half]+"="+text[half+1:],
		"nul-inside", text[:half]+"\x00"+text[half+1:],
		"percent", text[:half]+"%2D"+text[half+1:],
		"umlaut", text[:half]+"ä"+text[half+1:],
		"tilde", text[:half]+"~"+text[half+1:],
		"letters-more", text+strings.Repeat("A", (4-len(text)%4)%4+1), // one after groups of four says nothing
		"letters-less", text[:(len(text)-2)/4*4+1],
		"quoted", quote(text),
		"null", "null",
	)
}

// looseBits sets the bits of the last character that carry nothing. It reports
// false if all of them carry something.
func looseBits(text string) (string, bool) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(text)%4 == 0 {
		return "", false
	}
	last := len(text) - 1
	return text[:last] + string(alphabet[strings.IndexByte(alphabet, text[last])|1]), true
}
