package main

import "fmt"

// A claim is a bound on a ratio of two rows, or on a number of one.
type claim struct {
	text  string
	bound float64
	count bool // it is a number of allocations, which two runs have alike
	value func(result) float64
}

// A result finds rows by group and name.
type result map[string]*row

func index(rows []*row) result {
	r := result{}
	for _, row := range rows {
		r[row.group+"/"+row.name] = row
	}
	return r
}

func (r result) row(group, name string) *row {
	row := r[group+"/"+name]
	if row == nil {
		panic("no row " + group + "/" + name)
	}
	return row
}

func ratio(group, name, otherGroup, other string) func(result) float64 {
	return func(r result) float64 { return r.row(group, name).low() / r.row(otherGroup, other).low() }
}

func wallRatio(group, name, other string) func(result) float64 {
	return func(r result) float64 { return r.row(group, name).lowWall() / r.row(group, other).lowWall() }
}

func allocs(group, name string) func(result) float64 {
	return func(r result) float64 { return r.row(group, name).allocs }
}

func moreAllocs(group, name, other string) func(result) float64 {
	return func(r result) float64 { return r.row(group, name).allocs - r.row(group, other).allocs }
}

const (
	ours, oursPASETO = "carnet JWT", "carnet PASETO"
	hs256            = "golang-jwt HS256"

	perHS256        = " / " + hs256
	allocationsText = ", allocations"
	hotText         = ", hot"
	chiRatio        = "chi middleware, hot / bare chi"
	loopbackRatio   = "loopback, hot / bare chi with the same cookie"
	issuePer        = "issue / "
	issueRatio      = issuePer + bareSign
)

// claimed is what is held against the measurements, for the small session.
func claimed() []claim {
	const verify, issue, recorder, loopback = verifyGroup + " small", issueGroup + " small", recorderGroup + " small", loopbackGroup + " small"
	hot := hotGroup + " small"
	c := []claim{
		{text: ours + ", cold, with typed decode / its floor", bound: 1.05, value: ratio(verify, ours, verify, "floor of a nested JWT")},
		{text: ours + ", cold / go-jose nested", bound: 0.75, value: ratio(verify, ours, verify, "go-jose nested")},
		{text: ours + ", cold / jwx nested", bound: 0.60, value: ratio(verify, ours, verify, "jwx nested")},
		{text: ours + ", cold / golang-jwt EdDSA, which does not encrypt", bound: 1.00, value: ratio(verify, ours, verify, "golang-jwt EdDSA")},
		{text: ours + ", cold, allocations", bound: 30, count: true, value: allocs(verify, ours)},
		{text: ours + ", cold, data not asked for, allocations", bound: 8, count: true, value: allocs(verify, ours+noData)},
		{text: oursPASETO + ", cold / its floor", bound: 1.10, value: ratio(verify, oursPASETO, verify, "floor of a nested PASETO")},
		{text: localLayer + " / go-paseto v4.local", bound: 0.45, value: ratio(verify, localLayer, verify, "go-paseto v4.local")},
		{text: oursPASETO + ", cold, less a bare ed25519.Verify / go-paseto v4.local (to compare)", bound: 1, value: func(r result) float64 {
			return (r.row(verify, oursPASETO).low() - r.row(verify, bareVerify).low()) / r.row(verify, "go-paseto v4.local").low()
		}},
	}
	for _, name := range []string{hotWhole, hotPlain, hotCopy} {
		c = append(c,
			claim{text: name + hotText + perHS256, bound: 0.02, value: ratio(hot, name, verify, hs256)},
			claim{text: name + byDigest + hotText + perHS256, bound: 0.10, value: ratio(hot, name+byDigest, verify, hs256)},
			claim{text: name + hotText + allocationsText, bound: 0, count: true, value: allocs(hot, name)})
	}
	return append(c,
		claim{text: "forged / " + hs256 + " verify", bound: 0.10, value: ratio(forgedGroup+" small", ours, verify, hs256)},
		claim{text: "garbage / " + hs256 + " verify", bound: 0.01, value: ratio(garbageGroup+" small", ours, verify, hs256)},
		claim{text: "garbage, allocations", bound: 0, count: true, value: allocs(garbageGroup+" small", ours)},
		claim{text: "oversize / " + hs256 + " verify", bound: 0.01, value: ratio(oversizeGroup+" small", ours, verify, hs256)},
		claim{text: "oversize, allocations", bound: 0, count: true, value: allocs(oversizeGroup+" small", ours)},
		claim{text: chiRatio, bound: 2.0, value: ratio(recorder, carnetHotSite, recorder, bareCookieSite)},
		claim{text: chiRatio + plainData, bound: 2.0, value: ratio(recorder, carnetHotSite+plainData, recorder, bareCookieSite)},
		claim{text: chiRatio + noData, bound: 2.0, value: ratio(recorder, carnetHotSite+noData, recorder, bareCookieSite)},
		claim{text: "chi middleware, hot, allocations more than bare chi", bound: 5, count: true, value: moreAllocs(recorder, carnetHotSite, bareCookieSite)},
		claim{text: "chi middleware, hot / jwtauth", bound: 0.10, value: ratio(recorder, carnetHotSite, recorder, jwtauthSite)},
		claim{text: loopbackRatio, bound: 1.15, value: ratio(loopback, carnetHotSite, loopback, bareCookieSite)},
		claim{text: "loopback, hot / golang-jwt + Redis EXISTS, wall time", bound: 0.5, value: wallRatio(loopback, carnetHotSite, existsSite)},
		claim{text: "loopback, hot / scs + Redis, wall time", bound: 0.5, value: wallRatio(loopback, carnetHotSite, scsRedisSite)},
		claim{text: issueRatio, bound: 1.25, value: ratio(issue, ours, issue, bareSign)},
		claim{text: issuePer + "go-jose nested", bound: 0.55, value: ratio(issue, ours, issue, "go-jose nested")},
		claim{text: issuePer + "jwx nested", bound: 0.55, value: ratio(issue, ours, issue, "jwx nested")},
	)
}

func (c claim) holds(v float64) bool {
	return v <= c.bound
}

func (c claim) line(runs []result) string {
	s := fmt.Sprintf("| %s | ≤ %g", c.text, c.bound)
	met := "yes"
	for _, r := range runs {
		v := c.value(r)
		s += fmt.Sprintf(" | %.3g", v)
		if !c.holds(v) {
			met = "**no**"
		}
	}
	return s + " | " + met + " |\n"
}
