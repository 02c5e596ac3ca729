// Package browser has the tests for which there must be a real browser, or a
// WebSocket: what a page can and can't do with a session, and how soon streams end.
// It is a module of its own, so that neither reaches carnet's users.
package browser
