package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/carnet-go/carnet/keys"
)

// addNumericDates adds times that are no whole seconds or make no sense together.
func (m *jwtMint) addNumericDates() {
	p := m.payload
	for _, name := range []string{"exp", "iat", "end", "auth_us"} {
		good := p.get(name)
		for fault, value := range inOrder(
			"fraction", good+".5", "fraction-of-zero", good+".0", "exponent", good[:4]+"e6", "exponent-of-zero", good+"e0", "capital-exponent", good+"E0",
			"string", quote(good), "string-of-date", `"2030-01-01T00:00:00Z"`, "leading-zero", "0"+good, "plus", "+"+good, "hex", "0x"+good, "underscore", good[:3]+"_"+good[3:],
			"thousands", good[:3]+","+good[3:], "space", good[:3]+" "+good[3:], "beyond-int64", "9223372036854775808", "beyond-uint64", "18446744073709551616",
			"beyond-float", "1e400", "minus-beyond-int64", "-9223372036854775809", "minus-beyond-float", "-1e400", "digits-1000", strings.Repeat("9", 1000),
			"minus-zero-fraction", "-0.0", "tiny", "1e-400", "not-a-number", "NaN", "infinity", "Infinity", "full-width", "１２３", "bool", "false",
		) {
			m.add("times/"+name+"-"+fault, malformed, m.signed(p.with(name, value).String()))
		}
		for fault, value := range inOrder(
			"zero", "0", "negative", "-1", "negative-of-it", "-"+good, "least-int64", "-9223372036854775808",
			"greatest-int64", "9223372036854775807", "two-to-the-62", "4611686018427387904", "year-10000", map[bool]string{true: "253402300800000000", false: "253402300800"}[name == "auth_us"],
		) {
			m.add("times/"+name+"-"+fault, claims, m.signed(p.with(name, value).String()))
		}
	}
	m.add("times/exp-in-milliseconds", claims, m.signed(p.with("exp", p.get("exp")+"000").String()))
	m.add("times/iat-in-milliseconds", claims, m.signed(p.with("iat", p.get("iat")+"000").String()))
	m.add("times/auth-in-seconds", claims, m.signed(p.with("auth_us", p.get("auth_us")[:len(p.get("auth_us"))-6]).String()))
	addOrders(m.list, m.now, func(start, iat, exp, end time.Time) string {
		return m.signed(p.with("auth_us", fmt.Sprint(start.UnixMicro())).with("iat", fmt.Sprint(iat.Unix())).
			with("exp", fmt.Sprint(exp.Unix())).with("end", fmt.Sprint(end.Unix())).String())
	})
}

// addOrders adds times that are at odds with one another or with the clock.
func addOrders(l *list, now time.Time, mint func(start, iat, exp, end time.Time) string) {
	at := func(d time.Duration) time.Time { return now.Add(d) }
	const min, hour, day = time.Minute, time.Hour, 24 * time.Hour
	for _, o := range []struct {
		name                  string
		want                  outcome
		start, iat, exp, ends time.Duration
	}{
		{"expired-a-moment-after-the-leeway", expired, -hour, -31 * min, -min, 11 * hour},
		{"expired-an-hour-ago", expired, -2 * hour, -90 * min, -hour, 10 * hour},
		{"expired-with-the-session", expired, -13 * hour, -2 * hour, -hour, -hour},
		{"expired-ten-years-ago", expired, -87600 * hour, -87600 * hour, -87600*hour + 30*min, -87600*hour + 12*hour},
		{"expires-when-issued", claims, -hour, -min, -min, 11 * hour},
		{"expires-before-it-is-issued", claims, -hour, -min, -2 * min, 11 * hour},
		{"expires-after-the-session", claims, -hour, -min, 29 * min, 28 * min},
		{"ends-before-it-is-issued", claims, -hour, -min, 29 * min, -2 * min},
		{"ends-before-the-login", claims, -hour, -min, 29 * min, -2 * hour},
		{"lives-longer-than-a-session", claims, -min, -min, 12*hour + min, 12*hour + 2*min},
		{"lives-for-ten-years", claims, -hour, -min, 87600 * hour, 87601 * hour},
		{"session-of-a-second-too-many", claims, -hour, -min, 29 * min, 11*hour + time.Second},
		{"session-of-a-day", claims, -hour, -min, 29 * min, 23 * hour},
		{"session-of-a-year", claims, -hour, -min, 29 * min, 365 * day},
		{"session-begun-in-1970", claims, -now.Sub(time.Unix(1, 0)), -min, 29 * min, 11 * hour},
		{"login-after-the-token", claims, 20 * min, -min, 29 * min, 12 * hour},
		{"login-in-a-year", claims, 365 * day, -min, 29 * min, 11 * hour},
		{"issued-in-an-hour", notYet, hour, hour, 90 * min, 12 * hour},
		{"issued-tomorrow", notYet, day, day, day + 30*min, day + 12*hour},
		{"issued-in-ten-years", notYet, 87600 * hour, 87600 * hour, 87600*hour + 30*min, 87600*hour + 12*hour},
	} {
		l.add("times/"+o.name, o.want, mint(at(o.start), at(o.iat), at(o.exp), at(o.ends)))
	}
}

// addOtherFormat adds PASETOs, made with the keys of the JWTs.
func (m *jwtMint) addOtherFormat() {
	b := bindingOf("session", "example.com", "web")
	claims := pasetoPayload(m.now).String()
	inner := publicToken(activeKey, claims, "", b)
	tok := localToken(activeKey.seal, wrapped(inner), footer(activeKey.kid(keys.PASETO)), b)
	m.add("other-format/paseto-with-the-keys-of-the-jwt", unknownKey, tok)
	m.add("other-format/paseto-under-the-kid-of-the-jwt", malformed,
		localToken(activeKey.seal, wrapped(inner), footer(activeKey.kid(keys.JWT)), b))
	m.add("other-format/paseto-public", malformed, inner)
	m.add("other-format/paseto-inside", malformed, m.sealed(inner))
	m.add("other-format/paseto-claims-inside", malformed, m.signed(claims))
	signing := enc(innerHeader) + "." + enc(m.payload.String())
	m.add("other-format/paseto-signature-inside", invalid, m.sealed(signing+"."+b64(signPAE(activeKey, "v4.public.", m.payload.String(), "", b))))
	m.add("other-format/jwt-behind-a-paseto-header", malformed, "v4.local."+m.good.String())
	m.add("other-format/jwt-before-a-paseto-footer", malformed, m.good.String()+"."+enc(footer(activeKey.kid(keys.PASETO))))
}
