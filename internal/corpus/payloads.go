package main

import (
	"strings"

	"github.com/carnet-go/carnet/keys"
)

// addPayloads adds claims that are wrong in either format, in tokens that are
// genuine. The function mints one.
func addPayloads(l *list, p payload, mint func(claims string) string) {
	for name, text := range jsonFaults(p) {
		l.add("json/"+name, malformed, mint(text))
	}
	for name, text := range inOrder("null", "null", "empty-object", "{}") {
		l.add("json/"+name, claims, mint(text))
	}
	for _, m := range p {
		addMember(l, p, m.name, mint)
	}
	addNames(l, p, mint)
	addSubjects(l, p, mint)
	addIDs(l, p, mint)
}

// jsonFaults are texts that are no JSON object, or none that says one thing only.
func jsonFaults(p payload) func(func(string, string) bool) {
	good := p.String()
	sub := func(raw string) string { return p.with("sub", raw).String() }
	return inOrder(
		"empty", "",
		"space", " ",
		"array", "["+good+"]",
		"string", quote("alice"),
		"number", "1",
		"true", "true",
		"two-objects", good+good,
		"object-and-null", good+"null",
		"comma-after", good+",",
		"brace-after", good+"}",
		"nul-after", good+"\x00",
		"nul-before", "\x00"+good,
		"letter-after", good+"x",
		"line-of-garbage-after", good+"\n{",
		"cut", good[:len(good)-1],
		"trailing-comma", good[:len(good)-1]+",}",
		"leading-comma", "{,"+good[1:],
		"comma-twice", strings.Replace(good, ",", ",,", 1),
		"colon-missing", strings.Replace(good, ":", " ", 1),
		"colon-twice", strings.Replace(good, ":", "::", 1),
		"equals", strings.Replace(good, ":", "=", 1),
		"byte-order-mark", "\ufeff"+good,
		"utf-16-le", utf16(good, false),
		"utf-16-be", utf16(good, true),
		"utf-16-bom", "\xff\xfe"+utf16(good, false),
		"block-comment", "{/* */"+good[1:],
		"line-comment", "{//\n"+good[1:],
		"hash-comment", "{#\n"+good[1:],
		"single-quotes", strings.ReplaceAll(good, `"`, `'`),
		"names-without-quotes", strings.Replace(good, `"sub"`, `sub`, 1),
		"form-feed", "\f"+good,
		"vertical-tab", "{\v"+good[1:],
		"no-break-space", "{\u00a0"+good[1:],
		"line-separator", "{\u2028"+good[1:],
		"number-as-name", "{1:2,"+good[1:],
		"not-a-number", p.and("x", "NaN").String(),
		"infinity", p.and("x", "Infinity").String(),
		"undefined", p.and("x", "undefined").String(),
		"hex-number", p.and("x", "0x10").String(),
		"plus-number", p.and("x", "+1").String(),
		"leading-zero", p.and("x", "01").String(),
		"dot-first", p.and("x", ".5").String(),
		"dot-last", p.and("x", "5.").String(),
		"exponent-empty", p.and("x", "1e").String(),
		"minus-alone", p.and("x", "-").String(),
		"True", p.and("x", "True").String(),
		"string-open", sub(`"alice`),
		"string-with-line-feed", sub("\"ali\nce\""),
		"string-with-tab", sub("\"ali\tce\""),
		"string-with-raw-nul", sub("\"ali\x00ce\""),
		"string-with-raw-escape", sub("\"ali\x1bce\""),
		"escape-x", sub(`"ali\x63e"`),
		"escape-u-short", sub(`"ali\u63e"`),
		"escape-u-braces", sub(`"ali\u{63}e"`),
		"escape-capital-u", sub(`"ali\U0063e"`),
		"escape-octal", sub(`"ali\143e"`),
		"escape-at-end", sub(`"alice\"`),
		"high-surrogate", sub(`"ali\ud800ce"`),
		"low-surrogate", sub(`"ali\udc00ce"`),
		"surrogates-swapped", sub(`"ali\udc00\ud800ce"`),
		"utf-8-byte-ff", sub("\"ali\xffce\""),
		"utf-8-continuation", sub("\"ali\x80ce\""),
		"utf-8-cut", sub("\"alice\xc3\""),
		"utf-8-overlong-slash", sub("\"ali\xc0\xafce\""),
		"utf-8-overlong-nul", sub("\"ali\xc0\x80ce\""),
		"utf-8-overlong-3", sub("\"ali\xe0\x80\xafce\""),
		"utf-8-surrogate", sub("\"ali\xed\xa0\x80ce\""),
		"utf-8-beyond-unicode", sub("\"ali\xf4\x90\x80\x80ce\""),
		"utf-8-five-bytes", sub("\"ali\xf8\x88\x80\x80\x80ce\""),
		"utf-8-bad-in-name", p.and("x\xff", "1").String(),
		"utf-8-bad-in-data", p.with("data", "{\"Name\":\"\xff\"}").String(),
		"latin-1", sub("\"Zo\xeb\""),
		"deep-data", p.with("data", nested(16)).String(),
		"deep-data-40", p.with("data", nested(40)).String(),
		"wide-data", p.with("data", wide(257)).String(),
		"wide-unknown", p.and("x", wide(257)).String(),
		"wide-claims", strings.TrimSuffix(good, "}")+","+wide(257)[1:],
		"long-number-in-data", p.with("data", strings.Repeat("7", 257)).String(),
		"long-number-in-unknown", p.and("x", "1."+strings.Repeat("7", 256)).String(),
		"long-exponent", p.and("x", "1e"+strings.Repeat("7", 256)).String(),
		"deep-data-1000", p.with("data", nested(1000)).String(),
		"deep-objects", p.with("data", strings.Repeat(`{"a":`, 40)+"1"+strings.Repeat("}", 40)).String(),
		"deep-unknown", p.and("x", nested(40)).String(),
		"deep-claim", sub(nested(40)),
		"deep-and-open", p.with("data", strings.Repeat("[", 2000)).String(),
		"deep-twice", p.with("data", "["+nested(40)+","+nested(40)+"]").String(),
		"duplicate-in-data", p.with("data", `{"Name":"Alice","Name":"root"}`).String(),
		"duplicate-in-data-by-escapes", p.with("data", `{"Name":"Alice","N\u0061me":"root"}`).String(),
		"duplicate-deep-in-data", p.with("data", `{"a":[{"b":1,"b":1}]}`).String(),
		"duplicate-empty-in-data", p.with("data", `{"":1,"":2}`).String(),
		"duplicate-in-unknown", p.and("x", `{"a":1,"a":2}`).String(),
		"duplicate-unknown", p.and("x", "1").and("x", "2").String(),
	)
}

// addMember adds what can be wrong with any member.
func addMember(l *list, p payload, name string, mint func(string) string) {
	value := p.get(name)
	l.add("claims/without-"+name, bindingOrClaims(l.format, name), mint(p.without(name).String()))
	l.add("claims/"+name+"-upper-case", bindingOrClaims(l.format, name), mint(p.renamed(name, strings.ToUpper(name)).String()))
	l.add("claims/"+name+"-title-case", bindingOrClaims(l.format, name), mint(p.renamed(name, strings.ToUpper(name[:1])+name[1:]).String()))
	for other, folded := range inOrder(
		"space-after", name+" ", "space-before", " "+name, "nul-after", name+`\u0000`, "joiner-after", name+"\u200d", "dot-after", name+".",
		"long-s", strings.Replace(name, "s", "ſ", 1), "full-width", strings.Replace(name, "a", "ａ", 1), "homoglyph", strings.Replace(name, "e", "е", 1),
	) {
		if folded != name {
			l.add("claims/"+name+"-renamed-"+other, bindingOrClaims(l.format, name), mint(p.renamed(name, folded).String()))
		}
	}
	l.add("claims/"+name+"-twice", malformed, mint(p.and(name, value).String()))
	l.add("claims/"+name+"-twice-the-first-null", malformed, mint(p.before(name, "null").String()))
	l.add("claims/"+name+"-twice-by-escapes", malformed, mint(p.and(escaped(name), value).String()))
	if name == "data" {
		return // any JSON value is right
	}
	l.add("claims/"+name+"-null", bindingOrClaims(l.format, name), mint(p.with(name, "null").String()))
	types := []string{"true", "{}", "[]", "[" + value + "]", `{"a":` + value + `}`, "1.5"}
	if strings.HasPrefix(value, `"`) {
		types = append(types, "1")
	} else {
		types = append(types, quote(value), `""`)
	}
	for _, other := range types {
		kind := map[byte]string{'t': "bool", '{': "object", '[': "array", '1': "number", '"': "string"}[other[0]]
		if len(other) > 2 && kind != "bool" {
			kind += "-of-it"
		}
		l.add("claims/"+name+"-as-"+kind, malformed, mint(p.with(name, other).String()))
	}
}

// bindingOrClaims: a JWT without issuer or audience is for another one, which a
// PASETO says in its implicit assertion already.
func bindingOrClaims(f keys.Format, name string) outcome {
	if f == keys.JWT && (name == "iss" || name == "aud") {
		return binding
	}
	return claims
}

// escaped writes a name with its first letter as an escape.
func escaped(name string) string {
	const digits = "0123456789abcdef"
	return `\u00` + string([]byte{digits[name[0]>>4], digits[name[0]&15]}) + name[1:]
}

// addNames adds other issuers, audiences and what else no session token has.
func addNames(l *list, p payload, mint func(string) string) {
	other := map[keys.Format]outcome{keys.JWT: binding, keys.PASETO: claims}[l.format]
	for name, value := range inOrder(
		"empty", "", "other", "example.org", "longer", "example.com.evil.example", "capitals", "EXAMPLE.COM", "slash", "example.com/",
		"scheme", "https://example.com", "space", "example.com ", "nul", `example.com\u0000`, "homoglyph", "ехample.com", "subdomain", "a.example.com",
	) {
		l.add("claims/iss-"+name, other, mint(p.with("iss", quote(value)).String()))
	}
	for name, value := range inOrder("empty", "", "other", "api", "longer", "web2", "capitals", "WEB", "list", "web api", "comma", "web,api", "star", "*", "nul", `web\u0000`) {
		l.add("claims/aud-"+name, other, mint(p.with("aud", quote(value)).String()))
	}
	l.add("claims/iss-and-aud-swapped", other, mint(p.with("iss", `"web"`).with("aud", `"example.com"`).String()))
	for name, value := range inOrder("past", "1", "future", "99999999999", "null", "null", "string", `"2020-01-01T00:00:00Z"`, "object", "{}") {
		l.add("claims/nbf-"+name, claims, mint(p.and("nbf", value).String()))
	}
}

func addSubjects(l *list, p payload, mint func(string) string) {
	for name, value := range inOrder(
		"empty", "", "nul", `alice\u0000`, "nul-alone", `\u0000`, "line-feed", `alice\nroot`, "crlf", `alice\r\nSet-Cookie: a=b`, "tab", `alice\tx`,
		"escape", `\u001b[2Jalice`, "delete", "alice\u007f", "c1-control", `alice\u0085`, "bell", `alice\u0007`, "backspace", `root\b\b\b\balice`,
		"right-to-left-override", "alice\u202e", "left-to-right-isolate", "alice\u2066", "zero-width-space", "ali\u200bce", "zero-width-joiner", "ali\u200dce",
		"byte-order-mark", "\ufeffalice", "line-separator", "alice\u2028", "paragraph-separator", "alice\u2029", "no-break-space", "alice\u00a0x",
		"soft-hyphen", "ali\u00adce", "private-use", "alice\ue000", "not-a-character", "alice\uffff", "tag", "alice\U000e0001",
		"ideographic-space", "alice\u3000", "variation-selector-only", "\u2063", "256-bytes", strings.Repeat("x", 256), "4000-bytes", strings.Repeat("x", 3000),
		"256-bytes-of-umlauts", strings.Repeat("ä", 128),
	) {
		l.add("claims/sub-"+name, claims, mint(p.with("sub", quote(value)).String()))
	}
}

func addIDs(l *list, p payload, mint func(string) string) {
	for _, id := range []string{"jti", "sid"} {
		for name, value := range inOrder(
			"empty", "", "21-characters", strings.Repeat("a", 21), "65-characters", strings.Repeat("a", 65), "1000-characters", strings.Repeat("a", 1000),
			"plus", strings.Repeat("a", 21)+"+", "slash", strings.Repeat("a", 21)+"/", "padded", strings.Repeat("a", 22)+"==", "dot", strings.Repeat("a", 21)+".",
			"space", strings.Repeat("a", 21)+" ", "line-feed", strings.Repeat("a", 21)+`\n`, "nul", strings.Repeat("a", 21)+`\u0000`, "star", strings.Repeat("*", 22),
			"colon", "web:"+strings.Repeat("a", 22), "path", "../../../../../etc/passwd", "redis", `aaaaaaaa\r\nFLUSHALL\r\naaaa`, "umlaut", strings.Repeat("ä", 22),
			"braces", "{"+strings.Repeat("a", 22)+"}", "full-width", strings.Repeat("ａ", 22), "quote", strings.Repeat("a", 21)+`\"`,
		) {
			l.add("claims/"+id+"-"+name, claims, mint(p.with(id, quote(value)).String()))
		}
	}
}
