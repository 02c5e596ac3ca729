package main

import (
	"fmt"
	"math"
	"strings"
)

func escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func duration(ns float64) string {
	switch {
	case ns < 1000:
		return fmt.Sprintf("%.0f ns", ns)
	case ns < 10_000:
		return fmt.Sprintf("%.1f µs", ns/1000)
	}
	return fmt.Sprintf("%.0f µs", ns/1000)
}

// The frame has a background of its own, so that it can be read on a dark page.
const frame = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13" fill="#1f2328" role="img" aria-label="%[3]s">
<title>%[3]s</title>
<rect width="100%%" height="100%%" fill="white"/>
<text x="10" y="22" font-size="16">%[3]s</text>
`

// lineChart draws curves with both scales logarithmic.
func lineChart(title, axis string, curves []curve) string {
	const left, top, width, height = 80, 50, 560, 260
	var b strings.Builder
	fmt.Fprintf(&b, frame, left+width+170, top+height+60, escaped(title))
	minX, maxX, minY, maxY := bounds(curves)
	x := func(v float64) float64 { return left + width*math.Log(v/minX)/math.Log(maxX/minX) }
	y := func(v float64) float64 { return top + height - height*math.Log(v/minY)/math.Log(maxY/minY) }
	for v := math.Pow(10, math.Ceil(math.Log10(minY))); v <= maxY; v *= 10 {
		fmt.Fprintf(&b, `<path d="M%d %.1fh%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			left, y(v), width, left-8, y(v)+4, duration(v))
	}
	for _, p := range curves[0].points {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle" font-size="10">%s</text>`+"\n", x(p.x), top+height+18, count(p.x))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", left+width/2, top+height+44, escaped(axis))
	for i, c := range curves {
		color := [...]string{"#1f77b4", "#d95f02", "#7570b3"}[i%3]
		path := ""
		for k, p := range c.points {
			path += fmt.Sprintf("%c%.1f %.1f", "ML"[min(k, 1)], x(p.x), y(p.cost))
		}
		last := c.points[len(c.points)-1]
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/><text x="%.1f" y="%.1f" fill="%s">%s</text>`+"\n",
			path, color, x(last.x)+8, y(last.cost)+4, color, escaped(c.name))
	}
	return b.String() + "</svg>\n"
}

func bounds(curves []curve) (minX, maxX, minY, maxY float64) {
	minX, minY = math.Inf(1), math.Inf(1)
	for _, c := range curves {
		for _, p := range c.points {
			minX, maxX, minY, maxY = min(minX, p.x), max(maxX, p.x), min(minY, p.cost), max(maxY, p.cost)
		}
	}
	return minX, maxX, minY / 2, maxY * 2
}

func count(n float64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%gM", n/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%gk", n/1e3)
	}
	return fmt.Sprintf("%g", n)
}
