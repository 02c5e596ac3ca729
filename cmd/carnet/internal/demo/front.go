package demo

import (
	"html/template"
	"net/http"
	"sync/atomic"
)

// A front sends each request to the next node, as a load balancer without
// affinity does.
type front struct {
	next  atomic.Uint64
	nodes []http.Handler
}

func newFront(nodes []Node) *front {
	f := new(front)
	for _, n := range nodes {
		f.nodes = append(f.nodes, forwardTo(n.URL))
	}
	return f
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i := (f.next.Add(1) - 1) % uint64(len(f.nodes))
	f.nodes[i].ServeHTTP(w, r)
}

func (n *node) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	// The page runs its own script and nothing else.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'")
	page.Execute(w, n.name)
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>carnet demo</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
pre { background: #f3f3f3; padding: 1rem; min-height: 12rem; white-space: pre-wrap; overflow-wrap: anywhere }
button, input { font: inherit; padding: .2rem .6rem }
</style>
<h1>carnet demo</h1>
<p>Node A mints sessions, B and C can only read them. No node keeps a session;
each answer names the node that gave it. This page came from node {{.}}.</p>
<p><input id="name" value="alice" aria-label="name">
<button data-post="/login">log in</button>
<button data-get="/me">who am I?</button>
<button data-post="/logout">log out</button>
<button data-post="/logout-everywhere">log out everywhere</button>
<button data-post="/rotate">rotate the keys</button></p>
<pre id="out" aria-live="polite"></pre>
<script>
const out = document.getElementById("out");
async function send(method, path) {
  const init = { method };
  if (path === "/login") init.body = new URLSearchParams({ name: document.getElementById("name").value });
  const r = await fetch(path, init);
  const text = await r.text();
  let body = text;
  try { body = JSON.stringify(JSON.parse(text), null, 2); } catch {}
  out.textContent = method + " " + path + "\n" + r.status + "\n" + body;
}
document.querySelectorAll("button").forEach(b => b.addEventListener("click", () =>
  b.dataset.post ? send("POST", b.dataset.post) : send("GET", b.dataset.get)));
</script>
`))
