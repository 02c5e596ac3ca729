package main

import (
	"fmt"
	"strings"
)

// why explains a bound that was missed. What it says must be true of the code
// whatever the figures are.
func (c claim) why(r result) string {
	share := func(other string) string {
		const issue = issueGroup + " small"
		return fmt.Sprintf("The signature alone is %.2f of it; the rest is JSON, base64 twice, AES-GCM and the random ids.",
			r.row(issue, bareSign).low()/r.row(issue, other).low())
	}
	const context = "The session goes into the context of the request, for which net/http copies the request. " +
		"The cookie is found, the token looked up and compared, the denylist asked, and the response says that " +
		"it varies by cookie; the bare handler does none of it. "
	const copied = "Data with slices is copied for each reader, so that no request can change another's."
	switch c.text {
	case chiRatio:
		return context + "The data has two slices, and each reader gets a copy of them."
	case chiRatio + plainData, chiRatio + noData:
		return context
	case loopbackRatio:
		return "The rest of the request is the kernel's and net/http's in both rows. What is added in process is added " +
			"here too, and Vary: Cookie is written, sent and parsed by the client."
	case hotCopy + hotText + allocationsText, hotCopy + hotText + perHS256:
		return copied
	case hotCopy + byDigest + hotText + perHS256:
		return "Each request computes the SHA-256 of its token. " + copied
	case issueRatio:
		return "Beside the signature an issue is JSON, base64 twice, AES-GCM and the random ids."
	case issuePer + "go-jose nested":
		return share("go-jose nested")
	case issuePer + "jwx nested":
		return share("jwx nested")
	}
	return "No reason is known."
}

// missed lists the bounds that do not hold in both runs, with the reason.
func (r *report) missed(b *strings.Builder) {
	for _, c := range claimed() {
		for _, run := range r.runs {
			if !c.holds(c.value(run)) {
				fmt.Fprintf(b, "\n- **%s**: %s", c.text, strings.TrimSpace(c.why(run)))
				break
			}
		}
	}
	b.WriteString("\n")
}
