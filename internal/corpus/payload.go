package main

import (
	"slices"
	"strconv"
	"strings"
)

// A member of a payload, both halves as they stand in the JSON.
type member struct{ name, value string }

// A payload is an object that can be said in the wrong way.
type payload []member

func (p payload) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + m.name + `":` + m.value)
	}
	b.WriteByte('}')
	return b.String()
}

func (p payload) at(name string) int {
	i := slices.IndexFunc(p, func(m member) bool { return m.name == name })
	if i < 0 {
		panic("no member " + name)
	}
	return i
}

func (p payload) get(name string) string { return p[p.at(name)].value }

// with returns a copy with another value.
func (p payload) with(name, value string) payload {
	p = slices.Clone(p)
	p[p.at(name)].value = value
	return p
}

func (p payload) without(name string) payload {
	p = slices.Clone(p)
	return slices.Delete(p, p.at(name), p.at(name)+1)
}

func (p payload) renamed(name, other string) payload {
	p = slices.Clone(p)
	p[p.at(name)].name = other
	return p
}

// and returns a copy with a member more at its end.
func (p payload) and(name, value string) payload { return append(slices.Clone(p), member{name, value}) }

// before returns a copy with a member more at its beginning.
func (p payload) before(name, value string) payload { return append(payload{{name, value}}, p...) }

func quote(s string) string { return `"` + s + `"` }

// wide returns an object of n members.
func wide(n int) string {
	p := make(payload, n)
	for i := range p {
		p[i] = member{strconv.Itoa(i), "0"}
	}
	return p.String()
}

// nested returns n arrays, one in the other.
func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
